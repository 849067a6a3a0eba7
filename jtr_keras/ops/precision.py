"""The dtype in which losses and predictions are computed."""

import keras

from jtr_keras.types import Tensor


def loss_dtype() -> str:
    """`"float32"`, or `"float64"` where that is Keras's default float."""
    return str(keras.backend.result_type(keras.config.floatx(), "float32"))


def full_precision(tensor: Tensor) -> Tensor:
    """Casts half precision to float32; float32 and float64 stay.

    Args:
        tensor: A floating-point tensor of any shape.

    Returns:
        The same values in at least float32.

    Example:

    >>> jtr_keras.ops.full_precision(tf.ones(1, "bfloat16")).dtype.name
    'float32'
    """
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    return keras.ops.cast(tensor, keras.backend.result_type(dtype, "float32"))
