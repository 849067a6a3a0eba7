"""The autoencoder whose bottleneck is the joint space of all tasks."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.layers.dense_head import DenseHead
from jtr_keras.layers.segnet import SegNetDecoder, SegNetEncoder
from jtr_keras.ops.padding import crop_to, pad_to_multiple
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointAutoencoder(keras.layers.Layer):
    """SegNet from the stack of all tasks to itself, image by image.

    Instance normalisation keeps the images of a batch apart; it equals the
    reference's batch normalisation over batches of one.

    Args:
        widths: Channels of each level.
        num_convs: Convolutions of each level.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Stacks of shape `(batch, height, width, channels)`.

    Returns:
        The latent code, `(batch, height / 2**levels, width / 2**levels,
        widths[-1])`, not negative; and the decoded stack, as raw outputs of
        the input's shape.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), section 3.2
    """

    def __init__(
        self,
        widths: Sequence[int],
        num_convs: Sequence[int],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        sizes = (self.widths, self.num_convs, "instance")
        self.encoder = SegNetEncoder(*sizes, dtype=self.dtype_policy)
        self.decoder = SegNetDecoder(*sizes, dtype=self.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        channels: Any = input_shape[-1]
        self.head = DenseHead(self.widths[0], channels, dtype=self.dtype_policy)
        self.encoder.build(input_shape)
        self.decoder.build(*self.encoder.compute_output_shape(input_shape))
        self.head.build((*input_shape[:-1], self.widths[0]))

    def pad(self, stack: Tensor) -> Tensor:
        """The stack in a size that the encoder accepts."""
        return pad_to_multiple(stack, 2 ** len(self.widths))

    def call(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        latent, masks = self.encoder(self.pad(inputs))
        decoded = self.head(self.decoder(latent, masks))
        return latent, crop_to(decoded, inputs)

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
        }
