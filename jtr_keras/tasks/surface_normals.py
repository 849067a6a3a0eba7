"""Surface normal estimation."""

from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.metrics.mean_error import MeanError
from jtr_keras.metrics.median_error import MedianError
from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.tasks.codec import UnitVector
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


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

    void = 0.0
    primary_metric = "mean"
    default_baseline = 30.0
    meaning = (
        "unit vector in the axes of the training data; the first one points to "
        "the right"
    )

    def __init__(self, name: str = "normals") -> None:
        super().__init__(name, UnitVector())

    def activate(self, logits: Tensor) -> Tensor:
        return unit_vectors(logits)

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        return 1.0 - ops.sum(targets * predictions, axis=-1, keepdims=True)

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

    def to_rgb(self, targets: Any) -> Any:
        colours = 255 * (np.clip(targets, -1, 1) + 1) / 2
        return colours.astype(np.uint8)

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
