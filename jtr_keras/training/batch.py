"""A batch of the partial-label protocol, taken apart with clear errors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from jtr_keras.ops import images as shapes
from jtr_keras.ops.images import check_images, fits, static_shape
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import GEOMETRY, IMAGES, Tensor, TensorDict


class Batch(NamedTuple):
    """What a step is given.

    Args:
        images: Tensor of shape `(batch, views, height, width, 3)`.
        targets: Dict of tensors by task, `(batch, views, height, width,
            channels)`; void where an image has no label.
        labelled: Dict of weights by task, `(batch,)`, 0 without a label.
        geometry: How each view was made from the first, `(batch, views, 4)`,
            or None where it was not told.
    """

    images: Tensor
    targets: TensorDict
    labelled: TensorDict
    geometry: Tensor | None


def unpack(data: Any, tasks: Sequence[Task]) -> Batch:
    """A batch from what Keras hands to a step.

    Args:
        data: `(x, y)` or `(x, y, sample_weight)` as in the documentation
            (`docs/partial_labels.md`); without weights, every image has every
            label.
        tasks: The tasks that the targets must hold.

    Returns:
        The batch, with an axis of views in any case.

    Raises:
        ValueError: If a task is missing or a shape or dtype is not as expected.
    """
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    names = [task.name for task in tasks]
    _require_names("y", y, names)
    x, geometry = _split_inputs(x)
    check_images("x", x, (shapes.IMAGES, shapes.VIEWS))
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
        return Batch(x[:, None], targets, weight, None)
    if geometry is not None:
        _require_shape(f"x[{GEOMETRY!r}]", geometry, (*x.shape[:2], 4))
        geometry = ops.cast(geometry, loss_dtype())
    return Batch(x, targets, weight, geometry)


def require_views(needed: int, views: int | None) -> None:
    """ValueError if the training data have fewer views than needed.

    Args:
        needed: How many must be there.
        views: How many there are; None if the shape does not say.
    """
    if views is None:
        raise ValueError(
            "`x` must have a known number of views, (batch, views, height, "
            "width, 3); call `set_shape` on it where the dataset is made."
        )
    if views < needed:
        raise ValueError(
            f"`regularization` and `supervised_views` need {needed} views "
            f"of each image; the training data have {views}. Pass "
            f"`num_views={needed}` where the dataset is made, or sample them "
            "by `jtr_keras.data.with_views`."
        )


def _split_inputs(x: Any) -> tuple[Tensor, Tensor | None]:
    """Images, and the geometry of their views if it was told."""
    if not isinstance(x, dict):
        return x, None
    if IMAGES not in x or set(x) - {IMAGES, GEOMETRY}:
        raise ValueError(
            f"`x` must be images, or a dict of {IMAGES!r} and, if it is known, "
            f"{GEOMETRY!r}; got {sorted(x)}."
        )
    return x[IMAGES], x.get(GEOMETRY)


def _require_names(argument: str, given: Any, names: list[str]) -> None:
    if not isinstance(given, dict) or not set(names) <= set(given):
        found = sorted(given) if isinstance(given, dict) else type(given)
        raise ValueError(
            f"`{argument}` must be a dict with an entry for every task, "
            f"{names}; got {found}. Give unlabelled images any target in "
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
    return ops.where(used, ops.cast(given, dtype), ops.cast(task.void, dtype))


def fold_views(images: Tensor) -> Tensor:
    """`(batch, views, ...)` to `(batch * views, ...)`."""
    batch, views, *rest = ops.shape(images)
    return ops.reshape(images, (batch * views, *rest))


def unfold_views(tensors: Any, views: int) -> Any:
    """Undoes `fold_views` for each tensor of a structure."""
    return keras.tree.map_structure(
        lambda x: ops.reshape(x, (-1, views, *ops.shape(x)[1:])), tensors
    )
