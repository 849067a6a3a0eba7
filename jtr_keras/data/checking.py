"""Looking at every file once before a long training."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.data.labels.label_settings import AVAILABLE, label_matrix
from jtr_keras.data.sources.source import Source
from jtr_keras.ops.images import wrong_values
from jtr_keras.tasks.task import Task


def check(
    source: Source,
    tasks: Sequence[Task],
    labels: Any = AVAILABLE,
    verbose: int = 1,
) -> None:
    """Reads every image and every annotation that is used.

    Args:
        source: Where they come from.
        tasks: The tasks.
        labels: Which labels are used; see `label_matrix`.
        verbose: 1 for a progress bar, 0 for silence.

    Raises:
        ValueError: At the first file that is missing, cannot be read, or has
            an unexpected shape or value; names the file and says what was
            expected.
    """
    source.require(tasks)
    matrix = label_matrix(labels, source, tasks)
    progress = keras.utils.Progbar(source.num_images, verbose=verbose)
    for index in range(source.num_images):
        image = source.read_array(index, "image")
        _check_shape(source, index, "image", image, 3)
        _require(source, index, "image", wrong_values(image))
        for column, task in enumerate(tasks):
            if matrix[index, column] > 0:
                _check_target(source, index, task)
        progress.update(index + 1)


def _check_target(source: Source, index: int, task: Task) -> None:
    target = source.read_array(index, task.name)
    _check_shape(source, index, task.name, target, task.target_channels)
    _require(source, index, task.name, task.check(target))


def _require(
    source: Source, index: int, name: str, message: str | None
) -> None:
    if message:
        raise ValueError(f"{source.file(index, name)}: {message}.")


def _check_shape(
    source: Source, index: int, name: str, found: Any, channels: int
) -> None:
    expected = (*source.size, channels)
    if found.shape != expected:
        raise ValueError(
            f"{source.file(index, name)} must have shape {expected} (height, "
            f"width, channels); got {found.shape}."
        )
