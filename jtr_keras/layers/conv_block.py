"""Convolution, normalisation and activation as one layer."""

from collections.abc import Callable
from typing import Any

import keras

from jtr_keras.types import Config, Shape, Tensor

EPSILON = 1e-5
"""PyTorch's default, with which the published networks were trained."""


def batch_normalization(**kwargs: Any) -> keras.layers.Layer:
    """Batch normalisation with PyTorch's defaults."""
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=EPSILON, **kwargs
    )


def instance_normalization(**kwargs: Any) -> keras.layers.Layer:
    """Each image and channel by its own mean and variance; no state."""
    return keras.layers.GroupNormalization(groups=-1, epsilon=EPSILON, **kwargs)


NORMALIZATIONS: dict[str, Callable[..., keras.layers.Layer]] = {
    "batch": batch_normalization,
    "instance": instance_normalization,
}


def make_normalization(name: str, **kwargs: Any) -> keras.layers.Layer:
    """A new normalisation layer by its name in `NORMALIZATIONS`."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {sorted(NORMALIZATIONS)}; "
            f"got {name!r}."
        )
    return NORMALIZATIONS[name](**kwargs)


@keras.saving.register_keras_serializable(package="jtr_keras")
class ConvBlock(keras.layers.Layer):
    """3x3 convolution, normalisation, activation; size is kept.

    Args:
        filters: Number of output channels.
        normalization: `"batch"` or `"instance"`.
        activation: Name of a Keras activation.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        training: Whether batch statistics are used and updated.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.

    Raises:
        ValueError: If `normalization` is unknown.

    Example:

    >>> block = jtr_keras.layers.ConvBlock(filters=8)
    >>> block(keras.ops.ones((2, 16, 16, 3))).shape
    TensorShape([2, 16, 16, 8])

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
    """

    def __init__(
        self,
        filters: int,
        normalization: str = "batch",
        activation: str = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.normalization = normalization
        self.activation = activation
        dtype = self.dtype_policy
        self.conv = keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            # Xavier as in PyTorch; Keras's GlorotNormal is truncated.
            kernel_initializer=keras.initializers.VarianceScaling(
                1.0, "fan_avg", "untruncated_normal"
            ),
            dtype=dtype,
        )
        self.norm = make_normalization(normalization, dtype=dtype)

    def build(self, input_shape: Shape) -> None:
        self.conv.build(input_shape)
        self.norm.build(self.compute_output_shape(input_shape))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        outputs = self.norm(self.conv(inputs), training=training)
        return keras.activations.get(self.activation)(outputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> Config:
        return super().get_config() | {
            "filters": self.filters,
            "normalization": self.normalization,
            "activation": self.activation,
        }
