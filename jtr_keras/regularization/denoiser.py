"""The network that finds what predictions lack, without any label."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.places import places
from jtr_keras.regularization.dilated_convs import DilatedConvs
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class Denoiser(keras.layers.Layer):
    """A denoising autoencoder of joint stacks: it adds a correction.

    The correction starts at 0.

    Args:
        widths: Channels of its convolutions but the last, which makes the
            correction. The first is 1x1, all others 3x3; each one of `widths`
            from the third on is dilated twice as much as the one before.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.

    Returns:
        Stack of the same shape, in at least float32.

    Reference:
        - [Vincent et al., 2008](https://doi.org/10.1145/1390156.1390294)
    """

    def __init__(self, widths: Sequence[int], **kwargs: Any) -> None:
        # Convolutions cast for themselves; what is corrected stays precise.
        super().__init__(**({"autocast": False} | kwargs))
        self.widths = tuple(widths)
        self.first = keras.layers.Conv2D(
            self.widths[0], 1, activation="relu", dtype=self.dtype_policy
        )

    def build(self, input_shape: Shape) -> None:
        size = input_shape[:-1]
        channels: Any = input_shape[-1]
        self.first.build((*size, channels + 2))
        self.correction = DilatedConvs(
            self.widths[1:],
            channels,
            last={"kernel_initializer": "zeros"},
            dtype=self.dtype_policy,
        )
        self.correction.build((*size, self.widths[0]))

    def call(self, predictions: Tensor) -> Tensor:
        placed = ops.concatenate([predictions, places(predictions)], axis=-1)
        correction = self.correction(self.first(placed))
        return ops.cast(predictions, correction.dtype) + correction

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return super().get_config() | {"widths": self.widths}
