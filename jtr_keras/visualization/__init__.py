"""Pictures of batches and predictions."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.visualization.picture import paint, picture

__all__ = ["paint", "picture"]
