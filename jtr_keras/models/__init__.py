"""Backbones and the network that predicts every task."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.models.pyramid import feature_extractor
from jtr_keras.models.segnet import SegNet
from jtr_keras.models.unet import UNet

BACKBONES = {"segnet": SegNet, "unet": UNet}
"""The backbones by the names of the command line."""

__all__ = [
    "BACKBONES",
    "DensePredictor",
    "SegNet",
    "UNet",
    "feature_extractor",
]
