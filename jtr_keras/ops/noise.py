"""Random noise."""

from typing import Any

import keras
from keras import ops

from jtr_keras.ops.precision import loss_dtype
from jtr_keras.types import Tensor


def gumbel_noise(shape: tuple[Any, ...], seed: Any) -> Tensor:
    """Standard Gumbel noise: the largest of logits plus it is a sample.

    Args:
        shape: Shape of the noise.
        seed: An int or a `keras.random.SeedGenerator`.

    Returns:
        Tensor of `shape`, at least float32, finite.

    Example:

    >>> jtr_keras.ops.gumbel_noise((2, 3), seed=1).shape
    TensorShape([2, 3])

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144)
    """
    uniform = keras.random.uniform(
        shape, minval=1e-7, dtype=loss_dtype(), seed=seed
    )
    return -ops.log(-ops.log(uniform))
