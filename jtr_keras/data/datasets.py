"""The datasets that users ask for by name."""

import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from jtr_keras.data.augmentation import Augmentation
from jtr_keras.data.folder_source import FolderSource
from jtr_keras.data.npy_source import NpySource, classes, values, vectors
from jtr_keras.data.pipeline import pipeline
from jtr_keras.data.rooms_source import RoomsSource
from jtr_keras.data.source import Source
from jtr_keras.tasks.task import Task

Root = str | pathlib.Path


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


def cityscapes_source(
    root: Root, split: str, label: str = "label_7"
) -> Source:
    """Cityscapes as 128x256 `.npy` files, 2975 train and 500 val images.

    Args:
        root: Folder with `train` and `val`, each with `image`, `label_7`,
            `label_19` and `depth` (inverse depth).
        split: `"train"` or `"val"`.
        label: Folder of the class ids.
    """
    annotations = {
        "segmentation": (label, 1, classes),
        "depth": ("depth", 1, values),
    }
    return NpySource(root, split, annotations)


def _dataset(
    source: Source,
    split: str,
    tasks: Sequence[Task],
    default: Augmentation,
    options: dict[str, Any],
) -> tf.data.Dataset:
    """A split called `"train"` is shuffled and augmented, others are not."""
    training = split == "train"
    if training and options.get("augmentation") is None:
        options = options | {"augmentation": default}
    return pipeline(source, tasks, training=training, **options)


def rooms(split: str, tasks: Sequence[Task], **options: Any) -> tf.data.Dataset:
    """The Rooms set that comes with the package: synthetic indoor scenes.

    Args:
        split: `"train"` (800 images, shuffled and augmented) or `"val"` (200).
        tasks: The tasks; their names say which annotations.
        **options: `labels`, `num_views`, `batch_size`, `seed` and
            `augmentation` of `jtr_keras.data.pipeline`.

    Returns:
        A dataset of `(x, y, sample_weight)`; see `docs/partial_labels.md`.

    Example:

    >>> depth = jtr_keras.tasks.Depth(mean=2.4, stddev=0.9)
    >>> val = jtr_keras.data.rooms("val", [depth], batch_size=4)
    >>> x, y, sample_weight = next(iter(val))
    >>> x.shape, y["depth"].shape, sample_weight["depth"].numpy().tolist()
    (TensorShape([4, 96, 128, 3]), TensorShape([4, 96, 128, 1]), [1.0, 1.0, 1.0, 1.0])
    """
    return _dataset(RoomsSource(split), split, tasks, Augmentation(), options)


def folder(
    root: Root, split: str, tasks: Sequence[Task], **options: Any
) -> tf.data.Dataset:
    """Your own images in the layout of the Rooms set; see `docs/data.md`.

    Args:
        root: Folder that holds the splits.
        split: Its name; `"train"` is shuffled and augmented.
        tasks: The tasks; their names say which annotations.
        **options: As for `rooms`.

    Returns:
        A dataset of `(x, y, sample_weight)`.
    """
    source = FolderSource(root, split)
    return _dataset(source, split, tasks, Augmentation(), options)


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
    source = nyuv2_source(root, split)
    return _dataset(source, split, tasks, Augmentation(flip=0.0), options)


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
    source = cityscapes_source(root, split)
    return _dataset(source, split, tasks, Augmentation(), options)


SOURCES: dict[str, Callable[..., Source]] = {
    "rooms": lambda root, split: RoomsSource(split),
    "folder": FolderSource,
    "nyuv2": nyuv2_source,
    "cityscapes": cityscapes_source,
}
"""Sources by the name of their dataset, from a root folder and a split."""


def open_dataset(
    name: str, root: Root | None = None
) -> tuple[Callable[[str], Source], Callable[..., tf.data.Dataset]]:
    """What the command line needs of a dataset.

    Args:
        name: A key of `SOURCES`.
        root: Folder that holds the splits; None for `"rooms"`.

    Returns:
        A function from a split to its source, and one from a split, tasks and
        options to a dataset.

    Raises:
        ValueError: If the name is unknown or a root is missing.
    """
    if name not in SOURCES:
        raise ValueError(
            f"There is no dataset {name!r}; there are {sorted(SOURCES)}."
        )
    if name == "rooms":
        return RoomsSource, rooms
    if root is None:
        raise ValueError(f"The dataset {name!r} needs a root folder.")
    make = {"folder": folder, "nyuv2": nyuv2, "cityscapes": cityscapes}[name]
    return (
        functools.partial(SOURCES[name], root),
        functools.partial(make, root),
    )
