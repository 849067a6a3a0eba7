"""Readers, label settings, views and pictures; only here are files read."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.data.augmentation import Augmentation
from jtr_keras.data.checking import check
from jtr_keras.data.datasets import (
    cityscapes,
    cityscapes_source,
    folder,
    nyuv2,
    nyuv2_source,
    open_dataset,
    rooms,
)
from jtr_keras.data.folder_source import FolderSource
from jtr_keras.data.label_settings import label_matrix
from jtr_keras.data.npy_source import NpySource
from jtr_keras.data.pipeline import pipeline
from jtr_keras.data.rooms_source import RoomsSource
from jtr_keras.data.source import Source

__all__ = [
    "Augmentation",
    "FolderSource",
    "NpySource",
    "RoomsSource",
    "Source",
    "check",
    "cityscapes",
    "cityscapes_source",
    "folder",
    "label_matrix",
    "nyuv2",
    "nyuv2_source",
    "open_dataset",
    "pipeline",
    "rooms",
]
