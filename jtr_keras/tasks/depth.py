"""Monocular depth estimation."""

from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.metrics.mean_error import MeanError
from jtr_keras.ops.colour import colour_map
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.codec import NormalQuantile
from jtr_keras.tasks.quantization import Quantization
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class Depth(Task):
    """Per-pixel distance to the camera; `0` marks a missing measurement.

    In the joint space a depth `d` becomes `Phi((d - mean) / stddev)`, its
    quantile under a normal law, so that every task's slot lies in `[0, 1]`.

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
    """

    void = 0.0
    interpolation = "nearest"

    def __init__(
        self,
        mean: float,
        stddev: float,
        inverse: bool = False,
        name: str = "depth",
    ) -> None:
        millimetres = Quantization("uint16", scale=0.001)
        super().__init__(name, NormalQuantile(mean, stddev, millimetres))
        self.mean = mean
        self.stddev = stddev
        self.inverse = inverse
        # The head would otherwise spend its first thousand steps on the mean.
        self.initial_bias = mean
        self.default_baseline = stddev
        self.meaning = "inverse depth" if inverse else "depth"
        self.unit = "unit of the training data" if inverse else "metre"

    def valid_mask(self, targets: Tensor) -> Tensor:
        valid = ops.logical_and(targets > 0, ops.isfinite(targets))
        return ops.cast(valid, loss_dtype())

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        return ops.abs(targets - predictions)

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

    def to_rgb(self, targets: Any) -> Any:
        code = ops.convert_to_numpy(self.codec.encode(targets))
        return colour_map(1.0 - code[..., 0])

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
