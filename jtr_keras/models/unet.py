"""A light encoder-decoder that trains on a CPU."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class UNet(keras.layers.Layer):
    """Encoder and decoder joined level by level; two convolutions a level.

    Args:
        widths: Channels of each level, from the finest down.
        stem_strides: int. Strides of a first convolution, which makes all
            features coarser and the network cheaper; 1 for no such layer.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Images of shape `(batch, height, width, 3)`, both sizes
            divisible by `size_divisor`.
        training: Whether batch statistics are used and updated.

    Returns:
        Features of shape `(batch, height / stem_strides,
        width / stem_strides, widths[0])`.

    Raises:
        ValueError: If there are fewer than two levels.

    Example:

    >>> backbone = jtr_keras.models.UNet(widths=(4, 8, 8))
    >>> backbone(tf.ones((2, 16, 24, 3))).shape
    TensorShape([2, 16, 24, 4])

    Reference:
        - [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128, 128),
        stem_strides: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(widths) < 2:
            raise ValueError(
                f"`widths` must have at least two levels; got {tuple(widths)}."
            )
        self.widths = tuple(widths)
        self.stem_strides = stem_strides
        self.size_divisor = stem_strides * 2 ** (len(self.widths) - 1)
        dtype = self.dtype_policy
        self.stem = keras.layers.Identity(dtype=dtype)
        if stem_strides > 1:
            self.stem = keras.layers.Conv2D(
                self.widths[0], 3, stem_strides, padding="same", dtype=dtype
            )
        # Two blocks a level, flat: Keras saves no layer in a list of lists.
        self.down = [
            ConvBlock(w, dtype=dtype) for w in self.widths for _ in range(2)
        ]
        self.up = [
            ConvBlock(w, dtype=dtype)
            for w in self.widths[-2::-1]
            for _ in range(2)
        ]
        self.pool = keras.layers.MaxPooling2D(dtype=dtype)
        # Nearest: the bilinear one of Keras fails on unknown sizes.
        self.enlarge = keras.layers.UpSampling2D(dtype=dtype)

    def build(self, input_shape: Shape) -> None:
        self.stem.build(input_shape)
        channels: Any = self.stem.compute_output_shape(input_shape)[-1]
        size = (None, None, None)
        for block in self.down:
            block.build((*size, channels))
            channels = block.filters
        for first, second in zip(self.up[::2], self.up[1::2], strict=True):
            first.build((*size, channels + first.filters))
            second.build((*size, first.filters))
            channels = second.filters

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.pyramid(inputs, training)[0]

    def pyramid(
        self, inputs: Tensor, training: bool | None = None
    ) -> list[Tensor]:
        """The decoder's maps from the finest to the coarsest."""
        features, maps = inputs, []
        for stage in self.stages:
            features = stage(features, training=training)
            maps.append(features)
        return self.decode(maps, training)

    @property
    def stages(self) -> list[Callable[..., Tensor]]:
        """The encoder's levels, each a function of the one before's result."""
        return [partial(self._stage, n) for n, _ in enumerate(self.widths)]

    def decode(
        self, maps: Sequence[Tensor], training: bool | None = None
    ) -> list[Tensor]:
        """From the results of all stages to the `pyramid`."""
        features = maps[-1]
        pyramid = [features]
        for level, skip in enumerate(maps[-2::-1]):
            features = ops.concatenate([self.enlarge(features), skip], axis=-1)
            for block in self.up[2 * level : 2 * level + 2]:
                features = block(features, training=training)
            pyramid.append(features)
        return pyramid[::-1]

    def _stage(
        self, level: int, features: Tensor, training: bool | None = None
    ) -> Tensor:
        features = self.pool(features) if level else self.stem(features)
        for block in self.down[2 * level : 2 * level + 2]:
            features = block(features, training=training)
        return features

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = self.stem.compute_output_shape(input_shape)
        return (*shape[:-1], self.widths[0])

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "stem_strides": self.stem_strides,
        }
