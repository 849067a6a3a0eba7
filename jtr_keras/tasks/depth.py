"""Monocular depth estimation."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.metrics.mean_error import MeanError
from jtr_keras.ops.colour import colour_map
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class Depth(Task):
    """Per-pixel distance to the camera; `0` marks a missing measurement.

    In the joint space a depth `d` becomes `Phi((d - mean) / stddev)`, its
    quantile under a normal law, so that every task's slot lies in `[0, 1]`.
    Its relative code, that of MTPSL, is its share of the image's largest one.

    Args:
        mean: float. Mean depth of the training set, in metres or its own unit.
        stddev: float. Standard deviation of the same.
        inverse: bool. Whether values are inverse depths (disparities), which
            grow when the image is enlarged, where depths shrink.
        name: str. Defaults to `"depth"`.

    Raises:
        ValueError: If `stddev` is not positive.

    Example:

    >>> depth = jtr_keras.tasks.Depth(mean=2.36, stddev=1.59)
    >>> depth.loss(keras.ops.ones((1, 4, 4, 1)), keras.ops.zeros((1, 4, 4, 1)))
    <tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.], dtype=float32)>

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
        - [Li et al., 2022](https://arxiv.org/abs/2111.14893)
    """

    channels = 1
    target_channels = 1
    interpolation = "nearest"
    headline = "abs_err"

    def __init__(
        self,
        mean: float,
        stddev: float,
        inverse: bool = False,
        name: str = "depth",
    ) -> None:
        super().__init__(name)
        if not stddev > 0:
            raise ValueError(f"`stddev` must be positive; got {stddev}.")
        self.mean = mean
        self.stddev = stddev
        self.inverse = inverse
        # The head would otherwise spend its first thousand steps on the mean.
        self.initial_bias = mean
        self.default_baseline = stddev
        # Phi(-mean / stddev), the code of depth 0.
        self.empty_code = 0.5 * math.erfc(mean / stddev / 2.0**0.5)

    def activate(self, logits: Tensor) -> Tensor:
        return logits

    def valid_mask(self, targets: Tensor) -> Tensor:
        valid = ops.logical_and(targets > 0, ops.isfinite(targets))
        return ops.cast(valid, loss_dtype())

    def placeholder(self, shape: tuple[int, ...]) -> Any:
        return np.zeros(shape, self.target_dtype)

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        return ops.abs(targets - predictions)

    def encode(self, values: Tensor) -> Tensor:
        z = (values - self.mean) / self.stddev
        return 0.5 * (1.0 + ops.erf(z / 2.0**0.5))

    def relative_targets(self, targets: Tensor) -> Tensor:
        return _by_maximum(self.clean(targets))

    def relative_predictions(
        self, predictions: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        return _by_maximum(predictions)

    def reconstruction_error(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        # Kept off 0 and 1, where the normal law's inverse is infinite.
        quantile = (ops.sigmoid(decoded) - 0.5) * (1.0 - 1e-5) + 0.5
        return ops.abs(encoded - quantile)

    def metrics(self) -> list[keras.metrics.Metric]:
        return [
            MeanError("absolute", name="abs_err"),
            MeanError("relative", name="rel_err"),
            MeanError("absolute", root=True, name="rmse"),
            MeanError("log", root=True, name="log_rmse"),
            *(
                MeanError("ratio", below=1.25**power, name=f"delta_{power}")
                for power in (1, 2, 3)
            ),
        ]

    def draw(self, values: Any, predicted: bool) -> Any:
        valid = predicted | (values > 0) & np.isfinite(values)
        code = ops.convert_to_numpy(self.encode(np.where(valid, values, 1.0)))
        return colour_map(1.0 - code[..., 0]) * valid.astype(np.uint8)

    def compact(self, predictions: Tensor) -> Tensor:
        thousandths = ops.round(ops.clip(1000.0 * predictions, 0.0, 65535.0))
        return ops.cast(thousandths, "uint16")

    def expand(self, codes: Any) -> Any:
        return np.asarray(codes, np.float32) / np.float32(1000.0)

    def describe(self) -> Config:
        unit = "unit of the training data" if self.inverse else "metre"
        return {
            "prediction": "inverse depth" if self.inverse else "depth",
            "unit": unit,
            "range": None,
            "compact": {
                "dtype": "uint16",
                "unit": "1/1000 " + unit,
                "scale": 0.001,
                "offset": 0.0,
            },
        }

    def rescale(self, targets: Tensor, zoom: Tensor) -> Tensor:
        return targets * zoom if self.inverse else targets / zoom

    def check(self, targets: Any) -> str | None:
        wrong = int(np.sum(~np.isfinite(targets)) + np.sum(targets < 0))
        if not wrong:
            return None
        return (
            "depths must be positive and finite, or 0 where missing; found "
            f"{wrong} pixels that are NaN, infinite or negative"
        )

    def get_config(self) -> Config:
        return super().get_config() | {
            "mean": self.mean,
            "stddev": self.stddev,
            "inverse": self.inverse,
        }


def _by_maximum(values: Tensor) -> Tensor:
    """Divides by the largest value of the image, as MTPSL does."""
    return values / (ops.max(values, axis=(1, 2, 3), keepdims=True) + 1e-12)
