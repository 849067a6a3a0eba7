"""From a backbone's pyramid of features to one map."""

from typing import Any

import keras
from keras import ops

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.ops.resizing import resize_to
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class PyramidFusion(keras.layers.Layer):
    """Top-down fusion: each level is added to the coarser ones, resized.

    Every level goes through a 1x1 convolution to `filters` channels; from the
    coarsest on, the sum so far is resized to the next finer level, added, and
    smoothed by a `ConvBlock`.

    Args:
        filters: Channels of the result.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Feature maps from the finest to the coarsest, each of shape
            `(batch, height, width, channels)`.
        training: Whether batch statistics are used and updated.

    Returns:
        Tensor of shape `(batch, height, width, filters)` in the finest level's
        size.

    Reference:
        - [Lin et al., 2017](https://arxiv.org/abs/1612.03144)
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.laterals: list[keras.layers.Layer] = []
        self.smoothers: list[keras.layers.Layer] = []

    def build(self, inputs_shape: list[Shape]) -> None:
        dtype = self.dtype_policy
        for shape in inputs_shape:
            lateral = keras.layers.Conv2D(self.filters, 1, dtype=dtype)
            lateral.build(shape)
            self.laterals.append(lateral)
            smoother = ConvBlock(self.filters, dtype=dtype)
            smoother.build(lateral.compute_output_shape(shape))
            self.smoothers.append(smoother)

    def call(
        self, inputs: list[Tensor], training: bool | None = None
    ) -> Tensor:
        fused: Tensor = None
        for level in reversed(range(len(inputs))):
            lateral = self.laterals[level](inputs[level])
            if fused is not None:
                lateral = ops.add(lateral, resize_to(fused, lateral))
            fused = self.smoothers[level](lateral, training=training)
        return fused

    def compute_output_shape(self, inputs_shape: list[Shape]) -> Shape:
        return (*inputs_shape[0][:-1], self.filters)

    def get_config(self) -> Config:
        return super().get_config() | {"filters": self.filters}
