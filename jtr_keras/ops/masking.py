"""Sums and means that are 0 where nothing is selected, never NaN."""

from keras import ops

from jtr_keras.types import Tensor


def masked_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Sum over all axes but the first of `values` where `mask` is not 0.

    What lies under a zero of the mask has no influence on value or gradient,
    even where it is NaN or infinite.

    Args:
        values: Tensor of shape `(batch, ...)`.
        mask: Weights of the same shape, `0` where `values` do not count.

    Returns:
        Tensor of shape `(batch,)`.
    """
    values = ops.where(mask > 0, values, ops.zeros_like(values))
    return ops.sum(values * mask, axis=tuple(range(1, len(values.shape))))


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `values` per image, weighted by `mask`; 0 where it is all 0.

    Args:
        values: Tensor of shape `(batch, height, width, 1)`.
        mask: Weights of the same shape.

    Returns:
        Tensor of shape `(batch,)`.

    Example:

    >>> values = keras.ops.reshape([1.0, 3.0, 100.0, 7.0], (2, 2, 1, 1))
    >>> mask = keras.ops.reshape([1.0, 1.0, 0.0, 0.0], (2, 2, 1, 1))
    >>> jtr_keras.ops.masked_mean(values, mask).numpy().tolist()
    [2.0, 0.0]
    """
    axes = tuple(range(1, len(mask.shape)))
    weight = ops.sum(mask, axis=axes)
    # Weights may be fractions, so the guard must not be max(weight, 1).
    safe_weight = ops.where(weight > 0, weight, ops.ones_like(weight))
    return masked_sum(values, mask) / safe_weight


def image_mean(values: Tensor) -> Tensor:
    """Mean over images; 0 without any, as a replica may be in a last batch.

    Args:
        values: Tensor of shape `(batch, ...)`.

    Returns:
        Tensor of shape `(...)`.

    Example:

    >>> float(jtr_keras.ops.image_mean(tf.zeros((0,))))
    0.0
    """
    count = ops.cast(ops.maximum(ops.shape(values)[0], 1), values.dtype)
    return ops.sum(values, axis=0) / count
