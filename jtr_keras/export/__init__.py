"""The trained network outside of Python: SavedModel, ONNX and others."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.export.formats import Format, export_file
from jtr_keras.export.metadata import load_tasks
from jtr_keras.export.runtimes import SavedPredictor
from jtr_keras.export.saved_model import export_saved_model
from jtr_keras.registry import FORMATS

__all__ = [
    "FORMATS",
    "Format",
    "SavedPredictor",
    "export_file",
    "export_saved_model",
    "load_tasks",
]
