"""Upsampling to where the maxima were."""

from typing import Any

import keras
from keras import ops

from jtr_keras.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class IndexedUnpooling(keras.layers.Layer):
    """Undoes `IndexedPooling`: each value goes where its maximum was.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        mask: What `IndexedPooling` returned,
            `(batch, height, 2, width, 2, channels)`.

    Returns:
        Tensor of shape `(batch, 2 * height, 2 * width, channels)`, 0 elsewhere.

    Example:

    >>> inputs = keras.ops.reshape([1.0, 4.0, 3.0, 4.0], (1, 2, 2, 1))
    >>> pooled, mask = jtr_keras.layers.IndexedPooling()(inputs)
    >>> unpooled = jtr_keras.layers.IndexedUnpooling()(pooled, mask)
    >>> unpooled.numpy().ravel().tolist()
    [0.0, 4.0, 0.0, 0.0]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs: Tensor, mask: Tensor) -> Tensor:
        _, height, width, channels = ops.shape(inputs)
        windows = inputs[:, :, None, :, None, :] * mask
        return ops.reshape(windows, (-1, 2 * height, 2 * width, channels))

    def compute_output_shape(
        self, inputs_shape: Shape, mask_shape: Shape
    ) -> Shape:
        batch, height, width, channels = inputs_shape
        height = None if height is None else 2 * height
        width = None if width is None else 2 * width
        return batch, height, width, channels
