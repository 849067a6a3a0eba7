"""Taking a batch of the partial-label protocol apart, with clear errors."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

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
    if "float" not in keras.backend.standardize_dtype(x.dtype):
        raise ValueError(
            "`x` must be float images in [0, 1]; got dtype "
            f"{keras.backend.standardize_dtype(x.dtype)}. Divide by 255."
        )
    if len(x.shape) not in (4, 5):
        raise ValueError(
            "`x` must have shape (batch, height, width, 3) or (batch, views, "
            f"height, width, 3); got {tuple(x.shape)}."
        )
    if weight is None:
        weight = {name: ops.ones(ops.shape(x)[:1]) for name in names}
    _require_names("sample_weight", weight, names)
    for task in tasks:
        expected = (*x.shape[:-1], task.target_channels)
        _require_shape(f"y[{task.name!r}]", y[task.name], expected)
        _require_shape(
            f"sample_weight[{task.name!r}]", weight[task.name], x.shape[:1]
        )
    if len(x.shape) == 4:
        x, y = x[:, None], {name: y[name][:, None] for name in names}
    kept = [*names, GEOMETRY] if GEOMETRY in y else names
    return x, {n: y[n] for n in kept}, {n: weight[n] for n in names}


def _require_names(argument: str, given: Any, names: list[str]) -> None:
    if not isinstance(given, dict) or not set(names) <= set(given):
        found = sorted(given) if isinstance(given, dict) else type(given)
        raise ValueError(
            f"`{argument}` must be a dict with an entry for every task, "
            f"{names}; got {found}. Give unlabelled images a placeholder in "
            "`y` and 0 in `sample_weight`."
        )


def _require_shape(name: str, tensor: Tensor, expected: Any) -> None:
    shape, expected = tuple(tensor.shape), tuple(expected)
    if len(shape) != len(expected) or any(
        a is not None and b is not None and a != b
        for a, b in zip(shape, expected, strict=True)
    ):
        raise ValueError(f"`{name}` must have shape {expected}; got {shape}.")


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
