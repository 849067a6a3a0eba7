"""Your own images in a folder."""

from collections import ChainMap
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from jtr_keras.data.datasets.dataset import Dataset, Root
from jtr_keras.data.datasets.rooms import FURTHER_TASKS
from jtr_keras.data.sources.folder_source import FolderSource
from jtr_keras.data.sources.rooms_source import MAIN
from jtr_keras.registry import TASKS
from jtr_keras.tasks.task import Task

FOLDER = Dataset("folder", FolderSource, ChainMap(FURTHER_TASKS, TASKS), MAIN)


def folder(
    root: Root, split: str, tasks: Sequence[Task], **options: Any
) -> tf.data.Dataset:
    """Your own images in the layout of the Rooms set; see `docs/data.md`.

    An image has the labels for which there is a file, unless `labels` says
    which. How annotations are read is told by `jtr_keras.data.ENCODINGS`,
    where you can add one for a task of your own.

    Args:
        root: Folder that holds the splits.
        split: Its name; `"train"` is shuffled and augmented.
        tasks: The tasks; their names say which annotations.
        **options: As for `rooms`.

    Returns:
        A dataset of `(x, y, sample_weight)`.
    """
    return FOLDER.load(root, split, tasks, **options)
