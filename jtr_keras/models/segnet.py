"""SegNet, the network of the MTAN, MTPSL and JTR papers."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.layers.segnet_decoder import SegNetDecoder
from jtr_keras.layers.segnet_encoder import SegNetEncoder
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class SegNet(keras.layers.Layer):
    """Encoder and decoder joined by the places of the pooling maxima.

    The defaults are the reference's 13 + 13 convolutions.

    Args:
        widths: Channels of each level.
        num_convs: Convolutions of each level.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Images of shape `(batch, height, width, 3)`, both sizes
            divisible by `stride`.
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
        self.stride = 2 ** len(self.widths)
        dtype = self.dtype_policy
        self.encoder = SegNetEncoder(self.widths, self.num_convs, dtype=dtype)
        self.decoder = SegNetDecoder(self.widths, self.num_convs, dtype=dtype)

    def build(self, input_shape: Shape) -> None:
        self.encoder.build(input_shape)
        self.decoder.build(*self.encoder.compute_output_shape(input_shape))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        features, masks = self.encoder(inputs, training=training)
        return self.decoder(features, masks, training=training)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.widths[0])

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
        }
