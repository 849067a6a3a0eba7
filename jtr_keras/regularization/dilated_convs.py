"""Small convolutional networks with a wide view."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class DilatedConvs(keras.layers.Layer):
    """3x3 convolutions, each dilated twice as much as the one before.

    After them comes one that is not dilated and has no activation. It is a part
    of other layers, which make it anew when they are loaded.

    Args:
        widths: Channels of each dilated convolution.
        channels: Channels of the result.
        activation: Activation of the dilated convolutions.
        use_bias: Whether convolutions have a bias.
        last: Further arguments of the last one, of `keras.layers.Conv2D`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        features: Tensor of shape `(batch, height, width, any)`.

    Returns:
        Tensor of shape `(batch, height, width, channels)`, in at least
        float32.
    """

    def __init__(
        self,
        widths: Sequence[int],
        channels: int,
        activation: str = "relu",
        use_bias: bool = True,
        last: Config | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        usual = {"kernel_size": 3, "padding": "same", "use_bias": use_bias}
        self.convs = [
            keras.layers.Conv2D(
                width,
                activation=activation,
                dilation_rate=2**level,
                dtype=self.dtype_policy,
                **usual,
            )
            for level, width in enumerate(widths)
        ]
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        self.convs.append(
            keras.layers.Conv2D(
                channels, **({"dtype": dtype} | usual | (last or {}))
            )
        )

    def build(self, input_shape: Shape) -> None:
        for layer in self.convs:
            layer.build(input_shape)
            input_shape = (*input_shape[:-1], layer.filters)

    def call(self, features: Tensor) -> Tensor:
        for layer in self.convs:
            features = layer(features)
        return features
