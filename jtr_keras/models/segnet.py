"""SegNet, the network of the MTAN, MTPSL and JTR papers."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

from jtr_keras.layers.segnet import SegNetDecoder, SegNetEncoder
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class SegNet(keras.layers.Layer):
    """Encoder and decoder joined by the positions of the pooling maxima.

    The defaults are the reference's 13 + 13 convolutions.

    Args:
        widths: Channels of each level.
        num_convs: Convolutions of each level.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Images of shape `(batch, height, width, 3)`, both sizes
            divisible by `size_divisor`.
        training: Whether batch statistics are used and updated.

    Returns:
        Features of shape `(batch, height, width, widths[0])`.

    Example:

    >>> backbone = jtr_keras.models.SegNet(widths=(4, 8), num_convs=(1, 1))
    >>> backbone(tf.ones((2, 32, 48, 3))).shape
    TensorShape([2, 32, 48, 4])

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
        - [Liu et al., 2019](https://arxiv.org/abs/1803.10704)
    """

    def __init__(
        self,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        num_convs: Sequence[int] = (2, 2, 3, 3, 3),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.size_divisor = 2 ** len(self.widths)
        dtype = self.dtype_policy
        self.encoder = SegNetEncoder(self.widths, self.num_convs, dtype=dtype)
        self.decoder = SegNetDecoder(self.widths, self.num_convs, dtype=dtype)

    def build(self, input_shape: Shape) -> None:
        self.encoder.build(input_shape)
        self.decoder.build(*self.encoder.compute_output_shape(input_shape))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.pyramid(inputs, training)[0]

    def pyramid(
        self, inputs: Tensor, training: bool | None = None
    ) -> list[Tensor]:
        """The decoder's maps from the finest to the coarsest."""
        features, masks = self.encoder(inputs, training=training)
        return self.decoder.pyramid(features, masks, training)

    @property
    def stages(self) -> list[Callable[..., Tensor]]:
        """The encoder's levels, each a function of the one before's result."""
        return [partial(self._stage, n) for n, _ in enumerate(self.widths)]

    def decode(
        self, maps: Sequence[Tensor], training: bool | None = None
    ) -> list[Tensor]:
        """From the results of all stages to the `pyramid`."""
        pooled = [self.encoder.pooling(features) for features in maps]
        masks = [mask for _, mask in pooled]
        return self.decoder.pyramid(pooled[-1][0], masks, training)

    def _stage(
        self, level: int, features: Tensor, training: bool | None = None
    ) -> Tensor:
        if level:
            features, _ = self.encoder.pooling(features)
        first = sum(self.num_convs[:level])
        for block in self.encoder.blocks[first : first + self.num_convs[level]]:
            features = block(features, training=training)
        return features

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.widths[0])

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
        }
