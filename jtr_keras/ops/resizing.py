"""Resizing that works with sizes unknown while tracing."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.types import Tensor


def resize_to(images: Tensor, like: Tensor) -> Tensor:
    """Resizes bilinearly to the height and width of another tensor.

    `keras.ops.image.resize` fails in Keras 3.14 and 3.15 where the size is
    unknown while tracing, hence TensorFlow's own.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        like: Tensor of shape `(batch, new_height, new_width, any)`.

    Returns:
        Tensor of shape `(batch, new_height, new_width, channels)`, of the
        dtype of `images`.

    Example:

    >>> images, like = tf.ones((1, 2, 2, 3)), tf.ones((1, 5, 7, 1))
    >>> jtr_keras.ops.resize_to(images, like).shape
    TensorShape([1, 5, 7, 3])
    """
    static = tuple(like.shape[1:3])
    if tuple(images.shape[1:3]) == static and None not in static:
        return images
    size = static if None not in static else tf.shape(like)[1:3]
    return tf.cast(tf.image.resize(images, size), images.dtype)


def resample_area(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resizes to means over areas: each new pixel is what lay under it.

    Equal to average pooling where the size shrinks by whole numbers; any other
    size will do too. Two products of matrices, which XLA compiles, as it does
    not `tf.image.resize(method="area")`.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`, of static
            height and width.
        size: New height and width.

    Returns:
        Tensor of shape `(batch, new_height, new_width, channels)`.

    Example:

    >>> images = tf.reshape([1.0, 3.0, 5.0, 7.0], (1, 1, 4, 1))
    >>> jtr_keras.ops.resample_area(images, (1, 2)).numpy().ravel().tolist()
    [2.0, 6.0]
    """
    pairs = zip(images.shape[1:3], size, strict=True)
    return _resample(images, size, [old / new for old, new in pairs])


def to_power_of_two(features: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Features whose cells are a power of two of pixels wide and high.

    Cells of another size, such as the 14 pixels of some transformers, are
    resampled to smaller ones, each the mean of the features that it covers. The
    last row and column may reach beyond the image.

    Args:
        features: Tensor of shape `(batch, rows, columns, channels)`, of static
            size, that covers the whole image.
        image_size: Height and width of the image.

    Returns:
        Tensor of shape `(batch, new_rows, new_columns, channels)`; `features`
        if they are such.

    Example:

    >>> patches = tf.reshape([1.0, 5.0], (1, 1, 2, 1))  # Of 3 pixels a side.
    >>> cells = jtr_keras.ops.to_power_of_two(patches, (3, 6))
    >>> cells[0, 0, :, 0].numpy().tolist()
    [1.0, 3.0, 5.0]
    """
    pairs = zip(image_size, features.shape[1:3], strict=True)
    ratios = [pixels / cells for pixels, cells in pairs]
    side = 2 ** max(math.floor(math.log2(min(ratios))), 0)
    if set(ratios) == {side}:
        return features
    size = tuple(math.ceil(pixels / side) for pixels in image_size)
    return _resample(features, size, [side / ratio for ratio in ratios])


def _resample(
    images: Tensor, size: Sequence[int], steps: Sequence[float]
) -> Tensor:
    """Means over areas of so many of the old pixels in height and width."""
    rows, columns = (
        tf.constant(_overlaps(old, new, step), images.dtype)
        for old, new, step in zip(images.shape[1:3], size, steps, strict=True)
    )
    images = tf.einsum("yh,bhwc->bywc", rows, images)
    return tf.einsum("xw,bywc->byxc", columns, images)


def _overlaps(length: int, new_length: int, step: float) -> Any:
    """Shares of the old pixels in each new one, `(new_length, length)`."""
    edges = np.arange(new_length + 1)[:, None] * step
    old = np.arange(length)
    shared = np.minimum(edges[1:], old + 1) - np.maximum(edges[:-1], old)
    shared = np.maximum(shared, 0.0)
    return shared / shared.sum(axis=1, keepdims=True)
