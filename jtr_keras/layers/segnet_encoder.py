"""The encoder half of SegNet."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.layers.indexed_pooling import IndexedPooling
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class SegNetEncoder(keras.layers.Layer):
    """Levels of convolutions, each ended by a 2x2 pooling with its mask.

    Args:
        widths: Channels of each level.
        num_convs: Convolutions of each level.
        normalization: `"batch"` or `"instance"`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, both sizes
            divisible by `2 ** len(widths)`.
        training: Whether batch statistics are used and updated.

    Returns:
        The features, of shape
        `(batch, height / 2**levels, width / 2**levels, widths[-1])`, and the
        list of the levels' pooling masks.

    Raises:
        ValueError: If `widths` and `num_convs` differ in length.

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
    """

    def __init__(
        self,
        widths: Sequence[int],
        num_convs: Sequence[int],
        normalization: str = "batch",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not widths or len(widths) != len(num_convs) or min(num_convs) < 1:
            raise ValueError(
                "`widths` and `num_convs` need one positive number a level "
                f"each; got {tuple(widths)} and {tuple(num_convs)}."
            )
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.normalization = normalization
        dtype = self.dtype_policy
        # One flat list: Keras saves no layer in a list of lists.
        self.blocks = [
            ConvBlock(width, normalization, dtype=dtype)
            for width, count in zip(self.widths, self.num_convs, strict=True)
            for _ in range(count)
        ]
        self.pooling = IndexedPooling(dtype=dtype)

    def build(self, input_shape: Shape) -> None:
        for block in self.blocks:
            block.build(input_shape)
            input_shape = block.compute_output_shape(input_shape)

    def call(
        self, inputs: Tensor, training: bool | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        features, masks = inputs, []
        blocks = iter(self.blocks)
        for count in self.num_convs:
            for block in itertools.islice(blocks, count):
                features = block(features, training=training)
            features, mask = self.pooling(features)
            masks.append(mask)
        return features, masks

    def compute_output_shape(
        self, input_shape: Shape
    ) -> tuple[Shape, list[Shape]]:
        masks = []
        for width in self.widths:
            shape = (*input_shape[:-1], width)
            input_shape, mask = self.pooling.compute_output_shape(shape)
            masks.append(mask)
        return input_shape, masks

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
            "normalization": self.normalization,
        }
