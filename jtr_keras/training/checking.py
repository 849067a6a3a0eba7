"""Looking at every batch once before a long training."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from jtr_keras.ops.images import wrong_values
from jtr_keras.tasks.task import Task
from jtr_keras.training.batch import unpack


def check_batches(
    dataset: Iterable[Any], tasks: Sequence[Task], verbose: int = 1
) -> None:
    """Reads every image and every annotation of a pipeline of your own.

    For files, `jtr_keras.data.check` does the same, and names the file.

    Args:
        dataset: Batches `(x, y)` or `(x, y, sample_weight)`, as `fit` takes
            them; finite. Annotations count where the weight is above 0.
        tasks: The tasks.
        verbose: 1 for a progress bar, 0 for silence.

    Raises:
        ValueError: At the first batch with a missing part, an unexpected
            shape or dtype, or a value that is not allowed; says which batch
            and image, counted from 0, and task, and what was expected. Void is
            what the task calls so: `fit` takes other classes and NaN for void.

    Example:

    >>> depth = jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)
    >>> batch = np.ones((2, 8, 8, 3)), {"depth": -np.ones((2, 8, 8, 1))}
    >>> jtr_keras.training.check_batches([batch], [depth], verbose=0)
    Traceback (most recent call last):
        ...
    ValueError: Batch 0, y['depth'] of image 0: depths must be positive and
    finite, or 0 where missing; found 64 pixels that are NaN, infinite or
    negative.
    """
    progress = keras.utils.Progbar(None, verbose=verbose, unit_name="batch")
    for number, batch in enumerate(dataset):
        try:
            message = _wrong(batch, tasks)
        except ValueError as error:
            raise ValueError(f"Batch {number}: {error}") from error
        if message:
            raise ValueError(f"Batch {number}, {message}.")
        progress.update(number + 1)


def _wrong(batch: Any, tasks: Sequence[Task]) -> str | None:
    """What is wrong with a batch, or None."""
    unpacked = unpack(batch, tasks)
    _, targets, _ = keras.utils.unpack_x_y_sample_weight(batch)
    for index, image in enumerate(keras.ops.convert_to_numpy(unpacked.images)):
        found = wrong_values(image)
        if found:
            return f"x of image {index}: {found}"
    for task in tasks:
        target = keras.ops.convert_to_numpy(targets[task.name])
        weights = keras.ops.convert_to_numpy(unpacked.labelled[task.name])
        for index, weight in enumerate(weights):
            place = f"of image {index}"
            if not (weight >= 0 and np.isfinite(weight)):
                expected = "must be finite and not negative"
                return (
                    f"sample_weight[{task.name!r}] {place}: {expected}; "
                    f"got {weight}"
                )
            found = weight > 0 and task.check(target[index])
            if found:
                return f"y[{task.name!r}] {place}: {found}"
    return None
