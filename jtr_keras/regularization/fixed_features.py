"""Features of a network as what something else shall resemble."""

import math
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.padding import pad_to_multiple
from jtr_keras.ops.precision import full_precision, loss_dtype
from jtr_keras.ops.resizing import resample_area
from jtr_keras.regularization.cells import feature_ratio
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class FixedFeatures(keras.layers.Layer):
    """Features in another size and depth, without gradients.

    The size changes by means over cells of the image, the last of which may
    reach beyond it, as features may, both by paddings of their own. Features
    are taken to be a power of two smaller than the image. The depth, where it
    is another, changes by a random projection that is never trained: nothing
    can learn to make it trivial. It is orthogonal, which keeps angles, then cut
    at 0, since what is compared with it ends in a ReLU. Features of the right
    shape pass unchanged.

    Args:
        filters: Channels of the output.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        image_size: Height and width of the image.
        stride: Side of a cell in pixels of the image; a power of two.

    Returns:
        Tensor of shape `(batch, rows, columns, filters)`, at least float32, of
        as many cells as cover the image.
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

    def call(
        self, inputs: Tensor, image_size: tuple[int, int], stride: int
    ) -> Tensor:
        features = ops.stop_gradient(full_precision(inputs))
        rows, columns = (math.ceil(size / stride) for size in image_size)
        if tuple(features.shape[1:3]) != (rows, columns):
            cells = _cell_means(features, image_size, stride)
            features = cells[:, :rows, :columns]
        return self.projection(features) if self.projection else features

    def get_config(self) -> Config:
        return super().get_config() | {"filters": self.filters}


def _cell_means(
    features: Tensor, image_size: tuple[int, int], stride: int
) -> Tensor:
    """Means over all cells that there are features of.

    Zeros beyond the features change the lengths of means, not the directions.
    """
    ratio = feature_ratio(image_size, features.shape[1:3])
    features = pad_to_multiple(features, max(stride // ratio, 1))
    height, width = (n * ratio // stride for n in features.shape[1:3])
    return resample_area(features, (height, width))
