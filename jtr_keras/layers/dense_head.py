"""The last two convolutions of a task."""

from typing import Any

import keras

from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class DenseHead(keras.layers.Layer):
    """3x3 convolution, then 1x1 convolution to a task's channels.

    As in the reference there is neither normalisation nor activation between
    the two. The last one computes in at least float32 whatever the dtype
    policy: losses need it, and a half-precision output would be exported so.

    Args:
        filters: Channels between the two convolutions.
        channels: Channels of the output.
        initial_bias: float. What the output starts around; the reference has
            0.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, any)`.

    Returns:
        Tensor of shape `(batch, height, width, channels)`.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), code
    """

    def __init__(
        self,
        filters: int,
        channels: int,
        initial_bias: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.channels = channels
        self.initial_bias = initial_bias
        full = keras.backend.result_type(self.compute_dtype, "float32")
        # Xavier as in PyTorch; Keras's GlorotNormal is truncated.
        init = ("fan_avg", "untruncated_normal")
        self.conv = keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            kernel_initializer=keras.initializers.VarianceScaling(1.0, *init),
            dtype=self.dtype_policy,
        )
        self.projection = keras.layers.Conv2D(
            channels,
            1,
            kernel_initializer=keras.initializers.VarianceScaling(1.0, *init),
            bias_initializer=keras.initializers.Constant(initial_bias),
            dtype=full,
        )

    def build(self, input_shape: Shape) -> None:
        self.conv.build(input_shape)
        self.projection.build((*input_shape[:-1], self.filters))

    def call(self, inputs: Tensor) -> Tensor:
        return self.projection(self.conv(inputs))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> Config:
        return super().get_config() | {
            "filters": self.filters,
            "channels": self.channels,
            "initial_bias": self.initial_bias,
        }
