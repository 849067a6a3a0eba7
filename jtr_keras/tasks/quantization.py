"""Values as small integers."""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.config import Configurable
from jtr_keras.types import Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
@dataclasses.dataclass(frozen=True)
class Quantization(Configurable):
    """`value = offset + scale * integer`, for answers over a network.

    Args:
        dtype: `"uint8"` or `"uint16"`.
        scale: float. Difference of two neighbouring values.
        offset: float. Value of the integer 0.

    Example:

    >>> millimetres = jtr_keras.tasks.Quantization("uint16", scale=0.001)
    >>> millimetres.quantize(tf.constant([1.5, -2.0])).numpy().tolist()
    [1500, 0]
    >>> millimetres.dequantize([1500]).round(3).tolist()
    [1.5]
    """

    dtype: str
    scale: float = 1.0
    offset: float = 0.0

    def quantize(self, values: Tensor) -> Tensor:
        """The nearest integers; the smallest or largest for values beyond."""
        largest = float(np.iinfo(self.dtype).max)
        steps = (ops.cast(values, "float32") - self.offset) / self.scale
        rounded = ops.round(ops.clip(steps, 0.0, largest))
        return ops.cast(rounded, self.dtype)

    def dequantize(self, integers: Any) -> Any:
        """The values again, a float32 array, but for what rounding lost."""
        scale, offset = np.float32(self.scale), np.float32(self.offset)
        return offset + scale * np.asarray(integers, np.float32)
