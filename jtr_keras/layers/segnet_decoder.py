"""The decoder half of SegNet."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.layers.indexed_unpooling import IndexedUnpooling
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class SegNetDecoder(keras.layers.Layer):
    """Mirror of `SegNetEncoder`: unpooling, then convolutions, level by level.

    The first convolution of a level narrows to the width of the level above.

    Args:
        widths: The encoder's channels of each level.
        num_convs: The encoder's convolutions of each level.
        normalization: `"batch"` or `"instance"`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        features: What the encoder returned,
            `(batch, height / 2**levels, width / 2**levels, widths[-1])`.
        masks: The encoder's pooling masks, one a level.
        training: Whether batch statistics are used and updated.

    Returns:
        Tensor of shape `(batch, height, width, widths[0])`.

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
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.normalization = normalization
        dtype = self.dtype_policy
        outputs = (self.widths[0], *self.widths[:-1])
        # One flat list, coarsest first: Keras saves no layer in a list of
        # lists.
        self.blocks = [
            ConvBlock(width, normalization, dtype=dtype)
            for width, count in zip(
                outputs[::-1], self.num_convs[::-1], strict=True
            )
            for _ in range(count)
        ]
        self.unpooling = IndexedUnpooling(dtype=dtype)

    def build(
        self, features_shape: Shape, masks_shape: list[Shape] | None = None
    ) -> None:
        shape = features_shape
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def call(
        self,
        features: Tensor,
        masks: list[Tensor],
        training: bool | None = None,
    ) -> Tensor:
        blocks = iter(self.blocks)
        for count, mask in zip(self.num_convs[::-1], masks[::-1], strict=True):
            features = self.unpooling(features, mask)
            for block in itertools.islice(blocks, count):
                features = block(features, training=training)
        return features

    def compute_output_shape(
        self, features_shape: Shape, masks_shape: list[Shape]
    ) -> Shape:
        batch, height, _, width, _, _ = masks_shape[0]
        height = None if height is None else 2 * height
        width = None if width is None else 2 * width
        return batch, height, width, self.widths[0]

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
            "normalization": self.normalization,
        }
