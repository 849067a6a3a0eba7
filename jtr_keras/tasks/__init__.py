"""Tasks: one file each, everything particular to it."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.registry import TASKS
from jtr_keras.tasks.codec import (
    Categorical,
    Codec,
    NormalQuantile,
    UnitInterval,
    UnitVector,
)
from jtr_keras.tasks.dense_regression import DenseRegression
from jtr_keras.tasks.depth import Depth
from jtr_keras.tasks.quantization import Quantization
from jtr_keras.tasks.semantic_segmentation import SemanticSegmentation
from jtr_keras.tasks.surface_normals import SurfaceNormals
from jtr_keras.tasks.task import Task

__all__ = [
    "TASKS",
    "Categorical",
    "Codec",
    "DenseRegression",
    "Depth",
    "NormalQuantile",
    "Quantization",
    "SemanticSegmentation",
    "SurfaceNormals",
    "Task",
    "UnitInterval",
    "UnitVector",
]
