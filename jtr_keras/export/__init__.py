"""The trained network outside of Python: SavedModel, ONNX and others."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.export.formats import FORMATS, export_file
from jtr_keras.export.metadata import load_tasks
from jtr_keras.export.runtimes import RUNTIMES, SavedPredictor
from jtr_keras.export.saved_model import export_saved_model

__all__ = [
    "FORMATS",
    "RUNTIMES",
    "SavedPredictor",
    "export_file",
    "export_saved_model",
    "load_tasks",
]
