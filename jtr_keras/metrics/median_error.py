"""Median of an error over all annotated pixels of a set."""

from typing import Any

import keras
from keras import ops

from jtr_keras.metrics.mean_error import get_error, masked_errors
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class MedianError(keras.metrics.Metric):
    """True median over all pixels, by a histogram.

    Off by at most the width of a bin, `maximum / num_bins`: 0.05 degrees by
    default. (What the reference logs as "Med." is a root mean square.) Without
    any annotated pixel the result is 0.

    Args:
        error: Error of a pixel, as in `MeanError`.
        maximum: float. Largest error; larger ones count as this.
        num_bins: int. Number of bins of the histogram.
        name: str. Name of the metric.
        dtype: Dtype of the histogram.

    Call arguments:
        y_true: Targets, `(batch, height, width, channels)`.
        y_pred: Predictions of the same shape.
        sample_weight: `(batch, height, width)`, 0 where not annotated.

    Example:

    >>> median = jtr_keras.metrics.MedianError("absolute", maximum=10.0)
    >>> y_true = keras.ops.zeros((1, 1, 3, 1))
    >>> y_pred = keras.ops.reshape([1.0, 2.0, 9.0], (1, 1, 3, 1))
    >>> median.update_state(y_true, y_pred)
    >>> round(float(median.result()), 1)
    2.0
    """

    def __init__(
        self,
        error: str,
        maximum: float = 180.0,
        num_bins: int = 3600,
        name: str = "median_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        get_error(error)
        self.error = error
        self.maximum = maximum
        self.num_bins = num_bins
        self.histogram = self.add_variable(
            (num_bins,), initializer="zeros", name="histogram"
        )

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None
    ) -> None:
        values, weight = masked_errors(
            self.error, y_true, y_pred, sample_weight
        )
        places = ops.floor(values * (self.num_bins / self.maximum))
        bins = ops.cast(ops.clip(places, 0, self.num_bins - 1), "int32")
        counts = ops.segment_sum(
            ops.reshape(ops.cast(weight, self.dtype), (-1,)),
            ops.reshape(bins, (-1,)),
            num_segments=self.num_bins,
        )
        self.histogram.assign_add(counts)

    def result(self) -> Tensor:
        cumulated = ops.cumsum(self.histogram)
        half = cumulated[-1] / 2
        # Both pixels in the middle; they differ where nothing is between.
        total: Tensor = 0.0
        for reached in (cumulated >= half, cumulated > half):
            place = ops.argmax(ops.cast(reached, "int32"))
            here = self.histogram[place]
            # Linear within the bin, as if its pixels were evenly spread.
            part = (half - (cumulated[place] - here)) / ops.maximum(here, 1e-9)
            total += ops.cast(place, self.dtype) + part
        return total / 2 * (self.maximum / self.num_bins)

    def get_config(self) -> Config:
        return super().get_config() | {
            "error": self.error,
            "maximum": self.maximum,
            "num_bins": self.num_bins,
        }
