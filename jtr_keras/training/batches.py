"""Taking a batch of the partial-label protocol apart, with clear errors."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.images import (
    IMAGES,
    VIEWS,
    check_images,
    fits,
    static_shape,
)
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import GEOMETRY, Tensor, TensorDict


def unpack(
    data: Any, tasks: Sequence[Task]
) -> tuple[Tensor, TensorDict, TensorDict]:
    """Images with a view axis, targets and label weights of one batch.

    Args:
        data: `(x, y)` or `(x, y, sample_weight)` as in the documentation
            (`docs/partial_labels.md`); without weights, every image has every
            label.
        tasks: The tasks that the targets must hold.

    Returns:
        Images `(batch, views, height, width, 3)`, and the dicts of targets
        `(batch, views, height, width, channels)`, with the views' geometry if
        it came, and weights `(batch,)`.

    Raises:
        ValueError: If a task lacks or a shape or dtype is not as expected.
    """
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    names = [task.name for task in tasks]
    _require_names("y", y, names)
    check_images("x", x, (IMAGES, VIEWS))
    if weight is None:
        weight = {name: ops.ones(ops.shape(x)[:1]) for name in names}
    _require_names("sample_weight", weight, names)
    for task in tasks:
        expected = (*x.shape[:-1], task.target_channels)
        _require_shape(f"y[{task.name!r}]", y[task.name], expected)
        _require_weights(task.name, weight[task.name], x.shape[:1])
    x = ops.cast(x, loss_dtype())
    targets = {
        task.name: _as_targets(task, y[task.name], weight[task.name])
        for task in tasks
    }
    weight = {name: ops.cast(weight[name], loss_dtype()) for name in names}
    if len(x.shape) == 4:
        targets = {name: value[:, None] for name, value in targets.items()}
        return x[:, None], targets, weight
    if GEOMETRY in y:
        expected = (*x.shape[:2], 4)
        _require_shape(f"y[{GEOMETRY!r}]", y[GEOMETRY], expected)
        targets[GEOMETRY] = ops.cast(y[GEOMETRY], loss_dtype())
    return x, targets, weight


def _require_names(argument: str, given: Any, names: list[str]) -> None:
    if not isinstance(given, dict) or not set(names) <= set(given):
        found = sorted(given) if isinstance(given, dict) else type(given)
        raise ValueError(
            f"`{argument}` must be a dict with an entry for every task, "
            f"{names}; got {found}. Give unlabelled images a placeholder in "
            "`y` and 0 in `sample_weight`."
        )


def _require_shape(
    name: str, tensor: Tensor, expected: Any, hint: str = ""
) -> None:
    shape, expected = static_shape(name, tensor), tuple(expected)
    if not fits(shape, expected):
        raise ValueError(
            f"`{name}` must have shape {expected}; got {shape}.{hint}"
        )


def _require_weights(task: str, weight: Tensor, expected: Any) -> None:
    _require_shape(
        f"sample_weight[{task!r}]",
        weight,
        expected,
        " Weights belong to images; masks of pixels are in the targets.",
    )


def _as_targets(task: Task, given: Tensor, weight: Tensor) -> Tensor:
    """Targets in the dtype in which the task's annotations travel.

    Without a label they are void, whatever was given.
    """
    given = ops.convert_to_tensor(given)
    ones = (1,) * (len(given.shape) - 1)
    used = ops.reshape(ops.convert_to_tensor(weight) > 0, (-1, *ones))
    if "float" in task.target_dtype:
        dtype = loss_dtype()
    else:
        dtype = task.target_dtype
        if "float" in keras.backend.standardize_dtype(given.dtype):
            # As an integer, NaN would be any class.
            used = ops.logical_and(used, ops.logical_not(ops.isnan(given)))
    void = ops.cast(task.placeholder((1, *ones)), dtype)
    return ops.where(used, ops.cast(given, dtype), void)


def fold_views(images: Tensor) -> Tensor:
    """`(batch, views, ...)` to `(batch * views, ...)`."""
    batch, views, *rest = ops.shape(images)
    return ops.reshape(images, (batch * views, *rest))


def unfold_views(tensors: TensorDict, views: int) -> TensorDict:
    """Undoes `fold_views` for each of the tensors."""
    return {
        name: ops.reshape(tensor, (-1, views, *ops.shape(tensor)[1:]))
        for name, tensor in tensors.items()
    }
