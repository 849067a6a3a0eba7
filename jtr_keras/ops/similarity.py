"""Directions of vectors and their similarity."""

from keras import ops

from jtr_keras.ops.precision import full_precision
from jtr_keras.types import Tensor

EPSILON = 1e-12


def unit_vectors(vectors: Tensor) -> Tensor:
    """Divides by the length; what has none stays 0 and sends no gradient.

    Args:
        vectors: Tensor of shape `(..., channels)`.

    Returns:
        Tensor of the same shape, of length 1 or 0 along the last axis.

    Example:

    >>> vectors = keras.ops.convert_to_tensor([[3.0, 4.0], [0.0, 0.0]])
    >>> jtr_keras.ops.unit_vectors(vectors).numpy().round(3)
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    # The root's gradient is infinite at 0, hence the two `where`.
    nonzero = squares > EPSILON**2
    norm = ops.sqrt(ops.where(nonzero, squares, ops.ones_like(squares)))
    return ops.where(nonzero, vectors / norm, ops.zeros_like(vectors))


def cosine_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean over positions of 1 minus the cosine between two feature maps.

    A position where a map is all 0 has no direction: it counts as distance 1
    and sends no gradient, where the plain formula sends one of about 1e12.

    Args:
        first: Tensor of shape `(batch, height, width, channels)`.
        second: Tensor of the same shape.

    Returns:
        Tensor of shape `(batch,)`, between 0 and 2, at least float32.

    Example:

    >>> first = keras.ops.reshape([1.0, 0.0, 3.0, 0.0], (2, 1, 1, 2))
    >>> second = keras.ops.reshape([0.0, 2.0, 1.0, 0.0], (2, 1, 1, 2))
    >>> jtr_keras.ops.cosine_distance(first, second).numpy().tolist()
    [1.0, 0.0]

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), section 3.2
    """
    first = unit_vectors(full_precision(first))
    second = unit_vectors(full_precision(second))
    cosine = ops.sum(first * second, axis=-1)
    return ops.mean(1.0 - cosine, axis=(1, 2))
