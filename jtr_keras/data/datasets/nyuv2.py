"""NYU-v2 as the MTAN, MTPSL and JTR code store it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from jtr_keras.data.augmentation.augmentation import Augmentation
from jtr_keras.data.datasets.dataset import Dataset, Root, segmentation_of
from jtr_keras.data.sources.npy_source import (
    NpySource,
    classes,
    values,
    vectors,
)
from jtr_keras.data.sources.source import Source
from jtr_keras.tasks.depth import Depth
from jtr_keras.tasks.surface_normals import SurfaceNormals
from jtr_keras.tasks.task import Task

CLASSES = (
    *("bed", "books", "ceiling", "chair", "floor", "furniture", "objects"),
    *("picture", "sofa", "table", "tv", "wall", "window"),
)


def nyuv2_source(
    root: Root, split: str, normal_axes: Sequence[int] = (1, 1, 1)
) -> Source:
    """NYU-v2 as 288x384 `.npy` files, 795 train and 654 val images.

    Args:
        root: Folder with `train` and `val`, each with `image`, `label`,
            `depth` and `normal`.
        split: `"train"` or `"val"`.
        normal_axes: Signs of the normals' x, y and z.

    Returns:
        The source.
    """
    annotations = {
        "segmentation": ("label", 1, classes),
        "depth": ("depth", 1, values),
        "normals": ("normal", 3, vectors(normal_axes)),
    }
    return NpySource(root, split, annotations)


NYUV2 = Dataset(
    "nyuv2",
    nyuv2_source,
    {
        "segmentation": segmentation_of(CLASSES),
        "depth": partial(Depth, mean=2.3618, stddev=1.5876),
        "normals": SurfaceNormals,
    },
    ("segmentation", "depth", "normals"),
    Augmentation(flip=0.0),  # As in the reference.
    labels="onelabel",
)


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
    return NYUV2.load(root, split, tasks, **options)
