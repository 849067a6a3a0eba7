"""Resizing that works with sizes unknown while tracing."""

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
