"""The datasets that users ask for by name."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from jtr_keras.data.augmentation.augmentation import Augmentation
from jtr_keras.data.datasets.dataset import Dataset, Root
from jtr_keras.data.sources.folder_source import FolderSource
from jtr_keras.data.sources.npy_source import (
    Annotations,
    NpySource,
    classes,
    values,
    vectors,
)
from jtr_keras.data.sources.rooms_source import RoomsSource
from jtr_keras.data.sources.source import Source
from jtr_keras.tasks.dense_regression import DenseRegression
from jtr_keras.tasks.depth import Depth
from jtr_keras.tasks.semantic_segmentation import SemanticSegmentation
from jtr_keras.tasks.surface_normals import SurfaceNormals
from jtr_keras.tasks.task import Task

NYUV2_CLASSES = (
    *("bed", "books", "ceiling", "chair", "floor", "furniture", "objects"),
    *("picture", "sofa", "table", "tv", "wall", "window"),
)
CITYSCAPES_CLASSES = (
    *("flat", "construction", "object", "nature", "sky", "human", "vehicle"),
)


def _segmentation(names: Sequence[str]) -> Callable[..., Task]:
    """Makes the task with these classes, or with others that are given."""

    def make(num_classes: int = len(names), **options: Any) -> Task:
        usual = {"class_names": names} if num_classes == len(names) else {}
        return SemanticSegmentation(num_classes, **(usual | options))

    return make


def nyuv2_source(
    root: Root, split: str, normal_axes: Sequence[int] = (1, 1, 1)
) -> Source:
    """NYU-v2 as 288x384 `.npy` files, 795 train and 654 val images.

    Args:
        root: Folder with `train` and `val`, each with `image`, `label`,
            `depth` and `normal`.
        split: `"train"` or `"val"`.
        normal_axes: Signs of the normals' x, y and z.
    """
    annotations = {
        "segmentation": ("label", 1, classes),
        "depth": ("depth", 1, values),
        "normals": ("normal", 3, vectors(normal_axes)),
    }
    return NpySource(root, split, annotations)


def cityscapes_source(root: Root, split: str, label: str = "label_7") -> Source:
    """Cityscapes as 128x256 `.npy` files, 2975 train and 500 val images.

    Args:
        root: Folder with `train` and `val`, each with `image`, `label_7`,
            `label_19` and `depth` (inverse depth).
        split: `"train"` or `"val"`.
        label: Folder of the class ids.
    """
    annotations: Annotations = {
        "segmentation": (label, 1, classes),
        "depth": ("depth", 1, values),
    }
    return NpySource(root, split, annotations)


_ENCODED: dict[str, Callable[..., Task]] = {
    "segmentation": SemanticSegmentation,
    "depth": Depth,
    "normals": SurfaceNormals,
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
"""A task for each encoding of files; some need arguments."""
_MAIN = ("segmentation", "depth", "normals")

DATASETS = {
    "rooms": Dataset(
        lambda _, split: RoomsSource(split),
        _ENCODED
        | {
            "segmentation": _segmentation(NYUV2_CLASSES),
            # Printed by benchmarks/depth_statistics.py.
            "depth": partial(Depth, mean=2.65, stddev=0.86),
        },
        _MAIN,
        # The reference's 1.5 makes depths of training too small for a network
        # that is evaluated on whole images after a short training.
        Augmentation(zooms=(1.0, 1.1, 1.2), further_zooms=(1.0,)),
        labels="onelabel",
    ),
    "folder": Dataset(FolderSource, _ENCODED, _MAIN),
    "nyuv2": Dataset(
        nyuv2_source,
        {
            "segmentation": _segmentation(NYUV2_CLASSES),
            "depth": partial(Depth, mean=2.3618, stddev=1.5876),
            "normals": SurfaceNormals,
        },
        _MAIN,
        Augmentation(flip=0.0),  # As in the reference.
        labels="onelabel",
    ),
    "cityscapes": Dataset(
        cityscapes_source,
        {
            "segmentation": _segmentation(CITYSCAPES_CLASSES),
            # Its scale is MTAN's own: who has the files gives the statistics.
            "depth": partial(Depth, inverse=True),
        },
        ("segmentation", "depth"),
        labels="onelabel",
    ),
}
"""The datasets by name."""


def get_dataset(name: str) -> Dataset:
    """The dataset of that name in `DATASETS`; ValueError if there is none."""
    if name not in DATASETS:
        raise ValueError(
            f"There is no dataset {name!r}; there are {sorted(DATASETS)}."
        )
    return DATASETS[name]


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
    return DATASETS["rooms"].load("", split, tasks, **options)


def folder(
    root: Root, split: str, tasks: Sequence[Task], **options: Any
) -> tf.data.Dataset:
    """Your own images in the layout of the Rooms set; see `docs/data.md`.

    An image has the labels whose files there are, unless `labels` says else.

    Args:
        root: Folder that holds the splits.
        split: Its name; `"train"` is shuffled and augmented.
        tasks: The tasks; their names say which annotations.
        **options: As for `rooms`.

    Returns:
        A dataset of `(x, y, sample_weight)`.
    """
    return DATASETS["folder"].load(root, split, tasks, **options)


def nyuv2(
    root: Root, split: str, tasks: Sequence[Task], **options: Any
) -> tf.data.Dataset:
    """NYU-v2 in the layout of the MTAN, MTPSL and JTR code.

    Not run here on the real data, only on files of the same form.

    Args:
        root: Folder that holds the splits.
        split: `"train"` (not mirrored, as in the reference) or `"val"`.
        tasks: The tasks: `segmentation`, `depth`, `normals`.
        **options: As for `rooms`.

    Returns:
        A dataset of `(x, y, sample_weight)`.
    """
    return DATASETS["nyuv2"].load(root, split, tasks, **options)


def cityscapes(
    root: Root, split: str, tasks: Sequence[Task], **options: Any
) -> tf.data.Dataset:
    """Cityscapes in the layout of the MTAN, MTPSL and JTR code.

    Depths are inverse: use `Depth(..., inverse=True)`. Not run here on the
    real data, only on files of the same form.

    Args:
        root: Folder that holds the splits.
        split: `"train"` or `"val"`.
        tasks: The tasks: `segmentation` (7 classes), `depth`.
        **options: As for `rooms`.

    Returns:
        A dataset of `(x, y, sample_weight)`.
    """
    return DATASETS["cityscapes"].load(root, split, tasks, **options)
