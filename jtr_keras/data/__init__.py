"""Sources, data sets, label settings and views; only here are files read."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.data.augmentation.augmentation import UNCHANGED, Augmentation
from jtr_keras.data.augmentation.with_views import with_views
from jtr_keras.data.checking import check
from jtr_keras.data.datasets.cityscapes import cityscapes, cityscapes_source
from jtr_keras.data.datasets.dataset import Dataset
from jtr_keras.data.datasets.folder import folder
from jtr_keras.data.datasets.nyuv2 import nyuv2, nyuv2_source
from jtr_keras.data.datasets.rooms import rooms
from jtr_keras.data.depth_statistics import depth_statistics
from jtr_keras.data.labels.label_settings import label_matrix
from jtr_keras.data.pipeline import pipeline
from jtr_keras.data.sources.encodings import ENCODINGS, Encoding
from jtr_keras.data.sources.folder_source import FolderSource
from jtr_keras.data.sources.npy_source import NpySource
from jtr_keras.data.sources.rooms_source import RoomsSource
from jtr_keras.data.sources.source import Source, SourceSlice
from jtr_keras.registry import DATASETS

__all__ = [
    "DATASETS",
    "ENCODINGS",
    "UNCHANGED",
    "Augmentation",
    "Dataset",
    "Encoding",
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
    "label_matrix",
    "nyuv2",
    "nyuv2_source",
    "pipeline",
    "rooms",
    "with_views",
]
