"""Surface normal estimation."""

from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.metrics.mean_error import MeanError
from jtr_keras.metrics.median_error import MedianError
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class SurfaceNormals(Task):
    """Unit vectors orthogonal to the surfaces; `(0, 0, 0)` where missing.

    A pixel is annotated where any component differs from 0. (The reference
    asks whether their sum does, which drops some valid normals.) In the joint
    space a normal `n` becomes `(n + 1) / 2`.

    Args:
        name: str. Defaults to `"normals"`.

    Example:

    >>> normals = jtr_keras.tasks.SurfaceNormals()
    >>> towards_camera = keras.ops.tile([[[[0.0, 0.0, -1.0]]]], (1, 4, 4, 1))
    >>> normals.loss(towards_camera, towards_camera).numpy().tolist()
    [0.0]

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    channels = 3
    target_channels = 3
    similarity_offset = 1.0
    empty_code = 0.5
    headline = "mean"
    default_baseline = 30.0

    def __init__(self, name: str = "normals") -> None:
        super().__init__(name)

    def activate(self, logits: Tensor) -> Tensor:
        return unit_vectors(logits)

    def valid_mask(self, targets: Tensor) -> Tensor:
        valid = ops.logical_and(
            ops.any(targets != 0, axis=-1, keepdims=True),
            ops.all(ops.isfinite(targets), axis=-1, keepdims=True),
        )
        return ops.cast(valid, loss_dtype())

    def placeholder(self, shape: tuple[int, ...]) -> Any:
        return np.zeros(shape, self.target_dtype)

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        return 1.0 - ops.sum(targets * predictions, axis=-1, keepdims=True)

    def encode(self, values: Tensor) -> Tensor:
        return (values + 1.0) / 2.0

    def with_evidence(self, code: Tensor, evidence: Tensor) -> Tensor:
        """Turns the normal; one that is shorter, as it is a mean, stays so."""
        vector = 2.0 * code - 1.0
        direction = unit_vectors(vector)
        length = ops.sum(vector * direction, axis=-1, keepdims=True)
        return self.encode(length * unit_vectors(vector + 2.0 * evidence))

    def code_error(self, code: Tensor, restored: Tensor) -> Tensor:
        # Of unit vectors, 1 - cosine.
        return 0.5 * super().code_error(code, restored)

    def reconstruction_error(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        return self.error(2.0 * encoded - 1.0, unit_vectors(decoded))

    def metrics(self) -> list[keras.metrics.Metric]:
        return [
            MeanError("angle", name="mean"),
            MedianError("angle", name="median"),
            MeanError("angle", root=True, name="rmse"),
            *(
                MeanError("angle", below=degrees, name=f"within_{degrees:g}")
                for degrees in (11.25, 22.5, 30.0)
            ),
        ]

    def draw(self, values: Any, predicted: bool) -> Any:
        valid = np.any(values != 0, axis=-1, keepdims=True)
        valid &= np.all(np.isfinite(values), axis=-1, keepdims=True)
        colours = 255 * (np.clip(np.where(valid, values, 0), -1, 1) + 1) / 2
        return np.where(valid, colours, 0).astype(np.uint8)

    def compact(self, predictions: Tensor) -> Tensor:
        code = ops.clip(self.encode(predictions), 0.0, 1.0)
        return ops.cast(ops.round(255.0 * code), "uint8")

    def expand(self, codes: Any) -> Any:
        return np.asarray(codes, np.float32) / np.float32(127.5) - 1.0

    def describe(self) -> Config:
        return {
            "prediction": "unit vector in the axes of the training data; the "
            "first one points to the right",
            "unit": None,
            "range": [-1.0, 1.0],
            "compact": {
                "dtype": "uint8",
                "unit": None,
                "scale": 1.0 / 127.5,
                "offset": -1.0,
            },
        }

    def renormalize(self, targets: Tensor) -> Tensor:
        return unit_vectors(targets)

    def flip(self, targets: Tensor) -> Tensor:
        # X points right: mirroring the image turns its sign.
        return targets * ops.convert_to_tensor([-1.0, 1.0, 1.0], targets.dtype)

    def check(self, targets: Any) -> str | None:
        length = np.linalg.norm(targets, axis=-1)
        wrong = int(np.sum(~((length == 0) | (np.abs(length - 1) < 0.1))))
        if not wrong:
            return None
        return (
            "normals must have length 1, or be (0, 0, 0) where missing; found "
            f"{wrong} pixels with another length or NaN"
        )
