"""Padding images of any size to what a strided network accepts."""

import tensorflow as tf

from jtr_keras.types import Tensor


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Zero-pads at the bottom and right to a multiple of `multiple`.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`; height and
            width may be unknown while tracing.
        multiple: int. Both sizes of the result are divisible by it.

    Returns:
        Tensor of shape `(batch, padded_height, padded_width, channels)`.

    Example:

    >>> jtr_keras.ops.pad_to_multiple(tf.ones((1, 30, 33, 3)), 16).shape
    TensorShape([1, 32, 48, 3])
    """
    height, width = images.shape[1:3]
    if height is not None and width is not None:
        padding = [-height % multiple, -width % multiple]
        if padding == [0, 0]:
            return images
    else:
        # Not `-size % multiple`: ONNX's remainder of a negative is negative.
        rest = tf.shape(images)[1:3] % multiple
        padding = tf.unstack((multiple - rest) % multiple)
    pads = [[0, 0], [0, padding[0]], [0, padding[1]], [0, 0]]
    return tf.pad(images, pads)


def crop_to(images: Tensor, like: Tensor) -> Tensor:
    """Undoes `pad_to_multiple`: cuts to the height and width of `like`.

    Args:
        images: Tensor of shape `(batch, padded height, padded width,
            channels)`.
        like: Tensor of shape `(batch, height, width, any)`, not larger.

    Returns:
        Tensor of shape `(batch, height, width, channels)`.
    """
    if None not in (*images.shape[1:3], *like.shape[1:3]):
        return images[:, : like.shape[1], : like.shape[2]]
    size = tf.shape(like)
    return images[:, : size[1], : size[2]]
