"""Any continuous map of known range."""

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
class DenseRegression(Task):
    """Edges, reshading, keypoints, curvature: values in a range, L1 loss.

    A pixel is annotated where every channel is finite; void is NaN.
    Predictions are squashed into the range by a sigmoid. In the joint space a
    value becomes its place in the range, in `[0, 1]`.

    Args:
        name: str. Name of the task.
        channels: int. Number of channels. Defaults to 1.
        minimum: float. Smallest value. Defaults to 0.
        maximum: float. Largest value. Defaults to 1.

    Raises:
        ValueError: If `channels` is not positive or the range is empty.

    Example:

    >>> edges = jtr_keras.tasks.DenseRegression("edge_texture")
    >>> edges.loss(keras.ops.ones((1, 4, 4, 1)), keras.ops.zeros((1, 4, 4, 1)))
    <tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.], dtype=float32)>

    Reference:
        - Ours, in the manner of
          [Zamir et al., 2018](https://arxiv.org/abs/1804.08328)
    """

    headline = "abs_err"

    def __init__(
        self,
        name: str,
        channels: int = 1,
        minimum: float = 0.0,
        maximum: float = 1.0,
    ) -> None:
        super().__init__(name)
        if channels < 1:
            raise ValueError(f"`channels` must be >= 1; got {channels}.")
        if not minimum < maximum:
            raise ValueError(
                "`minimum` must be less than `maximum`; "
                f"got {minimum} and {maximum}."
            )
        self.channels = self.target_channels = channels
        self.minimum = minimum
        self.maximum = maximum
        self.default_baseline = (maximum - minimum) / 4

    def activate(self, logits: Tensor) -> Tensor:
        # In this order: tf2onnx gives `0 + 1 * x` a fifth axis.
        span = self.maximum - self.minimum
        return ops.sigmoid(logits) * span + self.minimum

    def valid_mask(self, targets: Tensor) -> Tensor:
        valid = ops.all(ops.isfinite(targets), axis=-1, keepdims=True)
        return ops.cast(valid, loss_dtype())

    def placeholder(self, shape: tuple[int, ...]) -> Any:
        return np.full(shape, np.nan, self.target_dtype)

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        return ops.mean(ops.abs(targets - predictions), axis=-1, keepdims=True)

    def encode(self, values: Tensor) -> Tensor:
        place = (values - self.minimum) / (self.maximum - self.minimum)
        return ops.clip(place, 0.0, 1.0)

    def reconstruction_error(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        difference = ops.abs(encoded - ops.sigmoid(decoded))
        return ops.mean(difference, axis=-1, keepdims=True)

    def metrics(self) -> list[keras.metrics.Metric]:
        return [
            MeanError("absolute", name="abs_err"),
            MeanError("absolute", root=True, name="rmse"),
        ]

    def draw(self, values: Any, predicted: bool) -> Any:
        valid = np.all(np.isfinite(values), axis=-1, keepdims=True)
        code = ops.convert_to_numpy(self.encode(np.where(valid, values, 0.0)))
        return colour_map(code.mean(axis=-1)) * valid.astype(np.uint8)

    def compact(self, predictions: Tensor) -> Tensor:
        return ops.cast(ops.round(255.0 * self.encode(predictions)), "uint8")

    def expand(self, codes: Any) -> Any:
        place = np.asarray(codes, np.float32) / np.float32(255.0)
        return self.minimum + (self.maximum - self.minimum) * place

    def describe(self) -> Config:
        return {
            "prediction": "value",
            "unit": "unit of the training data",
            "range": [self.minimum, self.maximum],
            "compact": {
                "dtype": "uint8",
                "unit": "1/255 of the range",
                "scale": (self.maximum - self.minimum) / 255.0,
                "offset": self.minimum,
            },
        }

    def check(self, targets: Any) -> str | None:
        finite = targets[np.isfinite(targets)]
        if np.all((finite >= self.minimum) & (finite <= self.maximum)):
            return None
        return (
            f"values must lie in [{self.minimum}, {self.maximum}], or be NaN "
            f"where missing; found {finite.min():g} to {finite.max():g}"
        )

    def get_config(self) -> Config:
        return super().get_config() | {
            "channels": self.channels,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }
