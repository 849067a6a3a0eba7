"""Features of a network as what something else shall resemble."""

from typing import Any

import keras
from keras import ops

from jtr_keras.ops.precision import full_precision, loss_dtype
from jtr_keras.ops.resizing import resample_area
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class FixedFeatures(keras.layers.Layer):
    """Features in another size and depth, without gradients.

    The size changes by means over areas; the depth, where it is another, by a
    random projection that is never trained: nothing can learn to make it
    trivial. It is orthogonal, which keeps angles, then cut at 0, since what is
    compared with it ends in a ReLU. Features of the right shape pass unchanged.

    Args:
        filters: Channels of the output.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        size: Height and width of the output.

    Returns:
        Tensor of shape `(batch, *size, filters)`, at least float32.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**({"dtype": loss_dtype()} | kwargs))
        self.filters = filters
        self.projection: keras.layers.Layer | None = None

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] != self.filters:
            self.projection = keras.layers.Conv2D(
                self.filters,
                1,
                use_bias=False,
                activation="relu",
                kernel_initializer="orthogonal",
                trainable=False,
                dtype=self.dtype_policy,
            )
            self.projection.build(input_shape)

    def call(self, inputs: Tensor, size: tuple[int, int]) -> Tensor:
        features = ops.stop_gradient(full_precision(inputs))
        if tuple(features.shape[1:3]) != tuple(size):
            features = resample_area(features, size)
        return self.projection(features) if self.projection else features

    def get_config(self) -> Config:
        return super().get_config() | {"filters": self.filters}
