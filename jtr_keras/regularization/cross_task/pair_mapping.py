"""What two tasks are mapped to, and the features that both shall resemble."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.layers.film import FiLM
from jtr_keras.ops.padding import pad_to_multiple
from jtr_keras.ops.precision import full_precision, loss_dtype
from jtr_keras.ops.resizing import resample_area
from jtr_keras.regularization.common.patch_grid import feature_ratio
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class PairMapping(keras.layers.Layer):
    """One SegNet encoder for all pairs of tasks, told the pair by FiLM.

    Instance normalisation keeps the images apart; it equals the reference's
    batch normalisation over batches of one. Between it and the activation,
    `FiLM` scales and shifts the channels as the pair says.

    Args:
        widths: Channels of each level, each ended by a 2x2 pooling.
        num_convs: Convolutions of each level.
        num_pairs: Number of pairs.
        film_learning_rate: float. See `jtr_keras.layers.FiLM`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, both sizes
            divisible by `2 ** len(widths)`.
        pair: Pair of each input, one-hot, `(batch, num_pairs)`.

    Returns:
        Tensor of shape `(batch, height / 2**levels, width / 2**levels,
        widths[-1])`, not negative.

    Raises:
        ValueError: If `widths` and `num_convs` differ in length.

    Example:

    >>> mapping = jtr_keras.regularization.PairMapping((4, 8), (1, 1), 2)
    >>> mapping(tf.ones((3, 8, 8, 4)), tf.one_hot([0, 1, 1], 2)).shape
    TensorShape([3, 2, 2, 8])

    Reference:
        - [Li et al., 2022](https://arxiv.org/abs/2111.14893)
    """

    def __init__(
        self,
        widths: Sequence[int],
        num_convs: Sequence[int],
        num_pairs: int,
        film_learning_rate: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not widths or len(widths) != len(num_convs) or min(num_convs) < 1:
            raise ValueError(
                "`widths` and `num_convs` need one positive number a level "
                f"each; got {tuple(widths)} and {tuple(num_convs)}."
            )
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.num_pairs = num_pairs
        self.film_learning_rate = film_learning_rate
        dtype = self.dtype_policy
        # Flat lists: Keras saves no layer in a list of lists.
        self.blocks = [
            ConvBlock(width, "instance", "linear", dtype=dtype)
            for width, count in zip(self.widths, self.num_convs, strict=True)
            for _ in range(count)
        ]
        self.films = [
            FiLM(num_pairs, film_learning_rate, dtype=dtype)
            for _ in self.blocks
        ]
        self.pooling = keras.layers.MaxPooling2D(dtype=dtype)

    def build(
        self, inputs_shape: Shape, pair_shape: Shape | None = None
    ) -> None:
        shape = inputs_shape
        for block, film in zip(self.blocks, self.films, strict=True):
            block.build(shape)
            shape = block.compute_output_shape(shape)
            film.build(shape)

    def call(self, inputs: Tensor, pair: Tensor) -> Tensor:
        features = inputs
        units = zip(self.blocks, self.films, strict=True)
        for count in self.num_convs:
            for block, film in itertools.islice(units, count):
                features = ops.relu(film(block(features), pair))
            features = self.pooling(features)
        return features

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
            "num_pairs": self.num_pairs,
            "film_learning_rate": self.film_learning_rate,
        }


@keras.saving.register_keras_serializable(package="jtr_keras")
class FrozenFeatures(keras.layers.Layer):
    """Features in another size and depth, without gradients.

    The size changes by means over patches of the image, the last of which may
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
        stride: Side of a patch in pixels of the image; a power of two.

    Returns:
        Tensor of shape `(batch, rows, columns, filters)`, at least float32, of
        as many patches as cover the image.
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
            patches = _patch_means(features, image_size, stride)
            features = patches[:, :rows, :columns]
        return self.projection(features) if self.projection else features

    def get_config(self) -> Config:
        return super().get_config() | {"filters": self.filters}


def _patch_means(
    features: Tensor, image_size: tuple[int, int], stride: int
) -> Tensor:
    """Means over all patches that there are features of.

    Zeros beyond the features change the lengths of means, not the directions.
    """
    ratio = feature_ratio(image_size, features.shape[1:3])
    features = pad_to_multiple(features, max(stride // ratio, 1))
    height, width = (n * ratio // stride for n in features.shape[1:3])
    return resample_area(features, (height, width))
