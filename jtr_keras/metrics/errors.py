"""Errors of single pixels, by the names that metrics are made from."""

from collections.abc import Callable
from math import pi

from keras import ops

from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.types import Tensor

SMALLEST = 1e-9
"""Predictions of a positive quantity count as at least this."""


def absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean over channels of the absolute difference."""
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)


def relative_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Absolute difference as a fraction of the target."""
    return absolute_error(y_true, y_pred) / ops.mean(ops.abs(y_true), axis=-1)


def log_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Absolute difference of the natural logarithms."""
    positive = ops.maximum(y_pred, SMALLEST)
    return absolute_error(
        ops.log(ops.maximum(y_true, SMALLEST)), ops.log(positive)
    )


def ratio(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """How many times the larger of both is the smaller, at least 1."""
    return ops.exp(log_error(y_true, y_pred))


def angle(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Angle between two vectors in degrees, 0 to 180.

    By the arc tangent: the arc cosine loses half of the digits near 0.
    """
    first, second = unit_vectors(y_true), unit_vectors(y_pred)
    sine = ops.norm(first - second, axis=-1)
    cosine = ops.norm(first + second, axis=-1)
    return 2.0 * ops.arctan2(sine, cosine) * (180.0 / pi)


ERRORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "absolute": absolute_error,
    "relative": relative_error,
    "log": log_error,
    "ratio": ratio,
    "angle": angle,
}
"""From targets and predictions `(batch, height, width, channels)` to errors
`(batch, height, width)`."""


def get_error(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The error of that name in `ERRORS`."""
    if name not in ERRORS:
        raise ValueError(
            f"`error` must be one of {sorted(ERRORS)}; got {name!r}."
        )
    return ERRORS[name]


def masked_errors(
    name: str, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Errors that are finite where the weight is 0, and the weights.

    Args:
        name: A name in `ERRORS`.
        y_true: Targets, `(batch, height, width, channels)`.
        y_pred: Predictions of the same shape.
        sample_weight: `(batch, height, width)`, or None for 1 everywhere.

    Returns:
        Errors and weights, both `(batch, height, width)`.
    """
    errors = get_error(name)(
        ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    )
    if sample_weight is None:
        return errors, ops.ones_like(errors)
    weight = ops.cast(sample_weight, errors.dtype)
    return ops.where(weight > 0, errors, ops.zeros_like(errors)), weight
