"""Rooms, the synthetic set that comes with the package."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from jtr_keras.data.augmentation.augmentation import Augmentation
from jtr_keras.data.datasets.dataset import Dataset, segmentation_of
from jtr_keras.data.datasets.nyuv2 import CLASSES
from jtr_keras.data.sources.rooms_source import MAIN, RoomsSource
from jtr_keras.tasks.dense_regression import DenseRegression
from jtr_keras.tasks.depth import Depth
from jtr_keras.tasks.surface_normals import SurfaceNormals
from jtr_keras.tasks.task import Task

FURTHER_TASKS: dict[str, Callable[..., Task]] = {
    "edge_texture": partial(DenseRegression, "edge_texture"),
    "edge_occlusion": partial(DenseRegression, "edge_occlusion"),
    "reshading": partial(DenseRegression, "reshading"),
    "keypoints2d": partial(DenseRegression, "keypoints2d"),
    "principal_curvature": partial(
        DenseRegression,
        "principal_curvature",
        channels=2,
        minimum=-20.0,
        maximum=20.0,
    ),
}
"""Tasks of the annotations that come with the repository only."""

ROOMS = Dataset(
    "rooms",
    lambda _, split: RoomsSource(split),
    {
        "segmentation": segmentation_of(CLASSES),
        # Printed by benchmarks/depth_statistics.py.
        "depth": partial(Depth, mean=2.65, stddev=0.86),
        "normals": SurfaceNormals,
        **FURTHER_TASKS,
    },
    MAIN,
    # The reference's 1.5 makes depths of training too small for a network
    # that is evaluated on whole images after a short training.
    Augmentation(zooms=(1.0, 1.1, 1.2), further_zooms=(1.0,)),
    labels="onelabel",
)


def rooms(split: str, tasks: Sequence[Task], **options: Any) -> tf.data.Dataset:
    """The Rooms set that comes with the package: synthetic indoor scenes.

    Args:
        split: `"train"` (800 images, shuffled and augmented) or `"val"`
            (200), or a part such as `"train[:700]"`.
        tasks: The tasks; their names say which annotations.
        **options: `labels`, `num_views`, `batch_size` and others of
            `jtr_keras.data.Dataset.load`.

    Returns:
        A dataset of `(x, y, sample_weight)`; see `docs/partial_labels.md`.

    Example:

    >>> depth = jtr_keras.tasks.Depth(mean=2.65, stddev=0.86)
    >>> val = jtr_keras.data.rooms("val", [depth], batch_size=4)
    >>> x, y, sample_weight = next(iter(val))
    >>> x.shape, sample_weight["depth"].shape
    (TensorShape([4, 96, 128, 3]), TensorShape([4]))
    """
    return ROOMS.load("", split, tasks, **options)
