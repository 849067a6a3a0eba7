"""Which image has the label of which task."""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jtr_keras.data.labels.label_files import read_numpy, read_torch
from jtr_keras.data.sources.source import Source
from jtr_keras.tasks.task import Task

Matrix = npt.NDArray[np.float32]
Sample = Callable[[int, int, np.random.Generator], Any]


def _full(images: int, tasks: int, rng: np.random.Generator) -> Any:
    return np.ones((images, tasks))


def _onelabel(images: int, tasks: int, rng: np.random.Generator) -> Any:
    chosen = rng.permutation(np.arange(images) % tasks)
    return np.eye(tasks)[chosen]


def _some(counts: Any, tasks: int, rng: np.random.Generator) -> Any:
    """Random rows with the given numbers of ones."""
    ranks = rng.random((len(counts), tasks)).argsort(axis=1).argsort(axis=1)
    return ranks < np.asarray(counts)[:, None]


def _randomlabels(images: int, tasks: int, rng: np.random.Generator) -> Any:
    return _some(rng.integers(1, max(tasks, 2), images), tasks, rng)


def _halflabels(images: int, tasks: int, rng: np.random.Generator) -> Any:
    halves = (tasks + rng.integers(0, 2, images)) // 2
    return _some(np.maximum(halves, 1), tasks, rng)


SETTINGS: dict[str, Sample] = {
    "full": _full,
    "onelabel": _onelabel,
    "randomlabels": _randomlabels,
    "halflabels": _halflabels,
}
"""The label settings by name: every label; one an image, in equal shares; 1 to
`tasks - 1`; half of them, rounded up or down at random."""
AVAILABLE = "available"
"""The setting in which each image has the labels that there are."""


def label_matrix(
    labels: Any, source: Source, tasks: Sequence[Task], seed: int = 0
) -> Matrix:
    """1 where an image has the label of a task.

    Args:
        labels: `"available"`, the labels that there are; a name in `SETTINGS`,
            whose labels must all be there; a dict of task name to the share
            of images that have its label; an array `(images, tasks)`; or the
            path of a published `.pth` or `.npy` file, whose columns are in the
            source's order.
        source: Whose images they are.
        tasks: The tasks, in the order of the result's columns.
        seed: Seed of random settings.

    Returns:
        float32 array of shape `(images, tasks)`.

    Raises:
        ValueError: If a name is unknown, or a shape or value is not as
            expected.
    """
    rng = np.random.default_rng(seed)
    if isinstance(labels, str) and labels == AVAILABLE:
        return _available(source, tasks)
    images, names = source.num_images, [task.name for task in tasks]
    if isinstance(labels, str) and labels in SETTINGS:
        matrix = SETTINGS[labels](images, len(names), rng)
        return np.asarray(matrix, np.float32)
    if isinstance(labels, Mapping):
        return _from_ratios(labels, images, names, rng)
    if isinstance(labels, str | pathlib.Path):
        return _from_file(pathlib.Path(labels), source, names)
    return _checked(np.asarray(labels), images, len(names), "`labels`")


def _available(source: Source, tasks: Sequence[Task]) -> Matrix:
    columns = [source.annotated(task.name) for task in tasks]
    for task, column in zip(tasks, columns, strict=True):
        if not column.any():
            raise ValueError(
                f"None of the {source.num_images} images has an annotation "
                f"{task.name!r}; that of the first would be "
                f"{source.file(0, task.name)}."
            )
    return np.stack(columns, axis=1).astype(np.float32)


def _from_ratios(
    ratios: Mapping[str, float],
    images: int,
    names: Sequence[str],
    rng: np.random.Generator,
) -> Matrix:
    if set(ratios) != set(names) or not all(
        0 <= ratio <= 1 for ratio in ratios.values()
    ):
        raise ValueError(
            f"`labels` must give each of the tasks {list(names)} a share "
            f"between 0 and 1; got {dict(ratios)}."
        )
    columns = [
        rng.permutation(np.arange(images) < round(ratios[name] * images))
        for name in names
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _from_file(
    path: pathlib.Path, source: Source, names: Sequence[str]
) -> Matrix:
    if path.suffix not in (".pth", ".npy") or not path.exists():
        raise ValueError(
            f"`labels` must be one of {[AVAILABLE, *SETTINGS]}, a dict, an "
            f"array, or an existing .pth or .npy file; got {str(path)!r}."
        )
    found: Any
    if path.suffix == ".pth":
        found = read_torch(path)
        if "labels_weights" not in found:
            raise ValueError(
                f"{path} must hold `labels_weights`; it holds {sorted(found)}."
            )
        found = found["labels_weights"]
    else:
        found = read_numpy(path)
        if isinstance(found, dict):
            return _from_lists(found, path, source, names)
    columns = list(source.columns)[: np.atleast_1d(found).shape[-1]]
    matrix = _checked(found, source.num_images, len(columns), str(path))
    missing = sorted(set(names) - set(columns))
    if missing:
        raise ValueError(
            f"{path} has columns for {columns}, none for {missing}."
        )
    return matrix[:, [columns.index(name) for name in names]]


def _from_lists(
    lists: dict[str, Any],
    path: pathlib.Path,
    source: Source,
    names: Sequence[str],
) -> Matrix:
    missing = sorted(set(names) - set(lists))
    if missing:
        raise ValueError(f"{path} lists {sorted(lists)}, not {missing}.")
    columns = [np.isin(source.names, list(map(str, lists[t]))) for t in names]
    matrix = np.stack(columns, axis=1).astype(np.float32)
    if not matrix.any():
        raise ValueError(
            f"{path} lists no image of this split; they have names such as "
            f"{source.names[0]!r}."
        )
    return matrix


def _checked(found: Any, images: int, tasks: int, origin: str) -> Matrix:
    if found.shape != (images, tasks):
        raise ValueError(
            f"{origin} must have shape {(images, tasks)}, a row an image and a "
            f"column a task; got {found.shape}."
        )
    if not np.all((found >= 0) & (found <= 1)):
        raise ValueError(f"{origin} must hold weights between 0 and 1.")
    return np.asarray(found, np.float32)
