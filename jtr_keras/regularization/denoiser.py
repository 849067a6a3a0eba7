"""The network that finds what predictions lack, without any label."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.places import places
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class Denoiser(keras.layers.Layer):
    """A denoising autoencoder of joint stacks: it adds a correction.

    The correction starts at 0.

    Args:
        widths: Channels of each convolution but the last. The first is 1x1,
            all others 3x3; each one from the third on is dilated twice as much
            as the one before.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.

    Returns:
        Stack of the same shape, in at least float32.

    Reference:
        - [Vincent et al., 2008](https://doi.org/10.1145/1390156.1390294)
    """

    def __init__(self, widths: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        first, *others = self.widths
        self.hidden = [
            self._conv(first, 1, activation="relu"),
            *(
                self._conv(width, activation="relu", dilation_rate=2**level)
                for level, width in enumerate(others)
            ),
        ]

    def build(self, input_shape: Shape) -> None:
        channels: Any = input_shape[-1]
        self.correction = self._conv(
            channels,
            kernel_initializer="zeros",
            dtype=keras.backend.result_type(self.compute_dtype, "float32"),
        )
        size = (None, None, None)
        before = (channels + 2, *self.widths)
        for width, layer in zip(
            before, [*self.hidden, self.correction], strict=True
        ):
            layer.build((*size, width))

    def call(self, predictions: Tensor) -> Tensor:
        features = ops.concatenate([predictions, places(predictions)], axis=-1)
        for layer in self.hidden:
            features = layer(features)
        correction = self.correction(features)
        return ops.cast(predictions, correction.dtype) + correction

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return super().get_config() | {"widths": self.widths}

    def _conv(
        self, filters: int, size: int = 3, **options: Any
    ) -> keras.layers.Conv2D:
        usual = {"padding": "same", "dtype": self.dtype_policy}
        return keras.layers.Conv2D(filters, size, **(usual | options))
