"""Backbones and the network that predicts every task."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.models.dense_predictor import DensePredictor, Outputs
from jtr_keras.models.pyramid import Pyramid
from jtr_keras.models.segnet import SegNet
from jtr_keras.models.unet import UNet
from jtr_keras.registry import BACKBONES

__all__ = [
    "BACKBONES",
    "DensePredictor",
    "Outputs",
    "Pyramid",
    "SegNet",
    "UNet",
]
