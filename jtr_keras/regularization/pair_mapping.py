"""The network that maps two tasks into the space of their pair."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.layers.film import FiLM
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
