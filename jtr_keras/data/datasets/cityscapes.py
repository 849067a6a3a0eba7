"""Cityscapes as the MTAN, MTPSL and JTR code store it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from jtr_keras.data.datasets.dataset import Dataset, Root, segmentation_of
from jtr_keras.data.sources.npy_source import (
    Annotations,
    NpySource,
    classes,
    values,
)
from jtr_keras.data.sources.source import Source
from jtr_keras.tasks.depth import Depth
from jtr_keras.tasks.task import Task

CLASSES = (
    *("flat", "construction", "object", "nature", "sky", "human", "vehicle"),
)


def cityscapes_source(root: Root, split: str, label: str = "label_7") -> Source:
    """Cityscapes as 128x256 `.npy` files, 2975 train and 500 val images.

    Args:
        root: Folder with `train` and `val`, each with `image`, `label_7`,
            `label_19` and `depth` (inverse depth).
        split: `"train"` or `"val"`.
        label: Folder of the class ids.

    Returns:
        The source.
    """
    annotations: Annotations = {
        "segmentation": (label, 1, classes),
        "depth": ("depth", 1, values),
    }
    return NpySource(root, split, annotations)


CITYSCAPES = Dataset(
    "cityscapes",
    cityscapes_source,
    {
        "segmentation": segmentation_of(CLASSES),
        # Its scale is MTAN's own: who has the files gives the statistics.
        "depth": partial(Depth, inverse=True),
    },
    ("segmentation", "depth"),
    labels="onelabel",
)


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
    return CITYSCAPES.load(root, split, tasks, **options)
