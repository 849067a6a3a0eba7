"""Max pooling that remembers where each maximum was."""

from typing import Any

import keras
from keras import ops

from jtr_keras.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class IndexedPooling(keras.layers.Layer):
    """2x2 max pooling that also returns the places of the maxima.

    The places are a one-hot mask of each window. Unlike the flat indices of
    `tf.nn.max_pool_with_argmax`, a mask compiles under XLA. The first of equal
    maxima counts, as in PyTorch, and receives the whole gradient.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, height and
            width even.

    Returns:
        The pooled tensor, `(batch, height / 2, width / 2, channels)`, and the
        mask, `(batch, height / 2, 2, width / 2, 2, channels)`.

    Example:

    >>> inputs = keras.ops.reshape([1.0, 4.0, 3.0, 4.0], (1, 2, 2, 1))
    >>> pooled, mask = jtr_keras.layers.IndexedPooling()(inputs)
    >>> pooled.numpy().ravel().tolist(), mask.numpy().ravel().tolist()
    ([4.0], [0.0, 1.0, 0.0, 0.0])

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        _, height, width, channels = ops.shape(inputs)
        windows = ops.reshape(
            inputs, (-1, height // 2, 2, width // 2, 2, channels)
        )
        mask = ops.stop_gradient(_first_maximum(windows))
        return ops.sum(windows * mask, axis=(2, 4)), mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        batch, height, width, channels = input_shape
        height = None if height is None else height // 2
        width = None if width is None else width // 2
        mask_shape = (batch, height, 2, width, 2, channels)
        return (batch, height, width, channels), mask_shape


def _first_maximum(windows: Tensor) -> Tensor:
    """One-hot over the axes 2 and 4, first in scan order."""
    maximum = ops.max(windows, axis=(2, 4), keepdims=True)
    hits = ops.cast(windows == maximum, windows.dtype)
    upper, lower = hits[:, :, :1], hits[:, :, 1:]
    upper = _first_of_two(upper)
    taken = ops.max(upper, axis=4, keepdims=True)
    lower = _first_of_two(lower) * (1 - taken)
    return ops.concatenate([upper, lower], axis=2)


def _first_of_two(hits: Tensor) -> Tensor:
    left, right = hits[:, :, :, :, :1], hits[:, :, :, :, 1:]
    return ops.concatenate([left, right * (1 - left)], axis=4)
