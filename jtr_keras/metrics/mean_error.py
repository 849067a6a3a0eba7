"""Mean of an error over all annotated pixels of a set, and the errors."""

from collections.abc import Callable
from math import pi
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.types import Config, Tensor

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


@keras.saving.register_keras_serializable(package="jtr_keras")
class MeanError(keras.metrics.Mean):
    """Mean, root mean square or share below a threshold, over pixels.

    All pixels of the set weigh the same, whichever image they are in. Without
    any annotated pixel the result is 0.

    Args:
        error: Error of a pixel: `"absolute"`, `"relative"`, `"log"`,
            `"ratio"` or `"angle"` (degrees).
        root: bool. Whether the root of the mean square is wanted.
        below: float or None. If given, the share of pixels with an error
            smaller than this is wanted.
        name: str. Name of the metric.
        dtype: Dtype of the accumulators.

    Call arguments:
        y_true: Targets, `(batch, height, width, channels)`; may be anything
            where the weight is 0.
        y_pred: Predictions of the same shape.
        sample_weight: `(batch, height, width)`, 0 where not annotated.

    Raises:
        ValueError: If `error` is unknown, or both `root` and `below` are given.

    Example:

    >>> rmse = jtr_keras.metrics.MeanError("absolute", root=True)
    >>> y_true = keras.ops.reshape([1.0, 2.0, 0.0], (1, 1, 3, 1))
    >>> y_pred = keras.ops.reshape([4.0, 6.0, 9.0], (1, 1, 3, 1))
    >>> mask = keras.ops.reshape([1.0, 1.0, 0.0], (1, 1, 3))
    >>> rmse.update_state(y_true, y_pred, sample_weight=mask)
    >>> round(float(rmse.result()) ** 2, 3)
    12.5

    Reference:
        - [Eigen et al., 2014](https://arxiv.org/abs/1406.2283), section 4.3
    """

    def __init__(
        self,
        error: str,
        root: bool = False,
        below: float | None = None,
        name: str = "mean_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        get_error(error)
        if root and below is not None:
            raise ValueError("Give either `root` or `below`, not both.")
        self.error = error
        self.root = root
        self.below = below

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> None:
        values, weight = masked_errors(
            self.error, y_true, y_pred, sample_weight
        )
        if self.below is not None:
            values = ops.cast(values < self.below, values.dtype)
        if self.root:
            values = ops.square(values)
        super().update_state(values, sample_weight=weight)

    def result(self) -> Tensor:
        result = super().result()
        return ops.sqrt(result) if self.root else result

    def get_config(self) -> Config:
        return super().get_config() | {
            "error": self.error,
            "root": self.root,
            "below": self.below,
        }
