"""Mean of an error over all annotated pixels of a set."""

from typing import Any

import keras
from keras import ops

from jtr_keras.metrics.errors import get_error, masked_errors
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class MeanError(keras.metrics.Mean):
    """Mean, root mean square or share below a threshold, over pixels.

    All pixels of the set weigh the same, whichever image they are in. Without
    any annotated pixel the result is 0.

    Args:
        error: Error of a pixel: `"absolute"`, `"relative"`, `"log"`,
            `"ratio"` or `"angle"` (degrees).
        root: bool. Whether the root of the mean square is wanted.
        below: float or None. If given, the share of pixels with an error
            smaller than this is wanted.
        name: str. Name of the metric.
        dtype: Dtype of the accumulators.

    Call arguments:
        y_true: Targets, `(batch, height, width, channels)`; may be anything
            where the weight is 0.
        y_pred: Predictions of the same shape.
        sample_weight: `(batch, height, width)`, 0 where not annotated.

    Raises:
        ValueError: If `error` is unknown, or both `root` and `below` are given.

    Example:

    >>> rmse = jtr_keras.metrics.MeanError("absolute", root=True)
    >>> y_true = keras.ops.reshape([1.0, 2.0, 0.0], (1, 1, 3, 1))
    >>> y_pred = keras.ops.reshape([4.0, 6.0, 9.0], (1, 1, 3, 1))
    >>> mask = keras.ops.reshape([1.0, 1.0, 0.0], (1, 1, 3))
    >>> rmse.update_state(y_true, y_pred, sample_weight=mask)
    >>> round(float(rmse.result()) ** 2, 3)
    12.5

    Reference:
        - [Eigen et al., 2014](https://arxiv.org/abs/1406.2283), section 4.3
    """

    def __init__(
        self,
        error: str,
        root: bool = False,
        below: float | None = None,
        name: str = "mean_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        get_error(error)
        if root and below is not None:
            raise ValueError("Give either `root` or `below`, not both.")
        self.error = error
        self.root = root
        self.below = below

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> None:
        values, weight = masked_errors(
            self.error, y_true, y_pred, sample_weight
        )
        if self.below is not None:
            values = ops.cast(values < self.below, values.dtype)
        if self.root:
            values = ops.square(values)
        super().update_state(values, sample_weight=weight)

    def result(self) -> Tensor:
        result = super().result()
        return ops.sqrt(result) if self.root else result

    def get_config(self) -> Config:
        return super().get_config() | {
            "error": self.error,
            "root": self.root,
            "below": self.below,
        }
