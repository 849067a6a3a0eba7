"""Metrics over whole sets that honour masks."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.metrics.delta_mtl import DeltaMTL
from jtr_keras.metrics.mean_error import ERRORS, MeanError
from jtr_keras.metrics.median_error import MedianError

__all__ = ["ERRORS", "DeltaMTL", "MeanError", "MedianError"]
