"""Readers, label settings and views; only here are files read."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.data.augmentation.augmentation import UNCHANGED, Augmentation
from jtr_keras.data.checking import check
from jtr_keras.data.datasets.dataset import Dataset
from jtr_keras.data.datasets.datasets import (
    DATASETS,
    cityscapes,
    cityscapes_source,
    folder,
    get_dataset,
    nyuv2,
    nyuv2_source,
    rooms,
)
from jtr_keras.data.depth_statistics import depth_statistics
from jtr_keras.data.sources.folder_source import FolderSource
from jtr_keras.data.labels.label_settings import label_matrix
from jtr_keras.data.sources.npy_source import NpySource
from jtr_keras.data.pipeline import pipeline
from jtr_keras.data.sources.rooms_source import RoomsSource
from jtr_keras.data.sources.source import Source, SourceSlice
from jtr_keras.data.augmentation.with_views import with_views

__all__ = [
    "DATASETS",
    "UNCHANGED",
    "Augmentation",
    "Dataset",
    "FolderSource",
    "NpySource",
    "RoomsSource",
    "Source",
    "SourceSlice",
    "check",
    "cityscapes",
    "cityscapes_source",
    "depth_statistics",
    "folder",
    "get_dataset",
    "label_matrix",
    "nyuv2",
    "nyuv2_source",
    "pipeline",
    "rooms",
    "with_views",
]
