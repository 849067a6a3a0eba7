"""Colours of maps, and tables of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from PIL import Image, ImageDraw

from jtr_keras.tasks.task import Task
from jtr_keras.types import IMAGES

_TITLE, _GAP = 14, 2
_BACKGROUND, _INK, _EMPTY = (255, 255, 255), (0, 0, 0), (200, 200, 200)


def picture(
    tasks: Sequence[Task],
    images: Any,
    targets: dict[str, Any] | None = None,
    labelled: dict[str, Any] | None = None,
    predictions: dict[str, Any] | None = None,
    num_images: int | None = None,
) -> Image.Image:
    """A table of images, annotations and predictions, a row an image.

    Where an image has no label of a task, the cell says so; void pixels are
    black.

    Args:
        tasks: The tasks.
        images: float array of shape `(batch, [views,] height, width, 3)` in
            `[0, 1]`, or a dict that holds it as `images`, as batches with views
            are; each view is a row.
        targets: Dict of targets, of the images' leading shape.
        labelled: Dict of weights, `(batch,)`.
        predictions: Dict of predictions, of the images' leading shape.
        num_images: int. The first so many images; None for all.

    Returns:
        A Pillow image, which notebooks show; `.save("batch.png")` writes it.

    Raises:
        ValueError: If targets or predictions of a task are missing.

    Example:

    >>> depth = jtr_keras.tasks.Depth(mean=2.65, stddev=0.86)
    >>> batch = next(iter(jtr_keras.data.rooms("val", [depth], batch_size=2)))
    >>> jtr_keras.visualization.picture([depth], *batch).size
    (258, 208)
    """
    _require("targets", targets, tasks)
    _require("predictions", predictions, tasks)
    if isinstance(images, dict):
        images = images[IMAGES]
    images = np.asarray(images)[:num_images]
    views = images.shape[1] if images.ndim == 5 else 1
    rows = images.reshape((-1, *images.shape[-3:]))
    columns: dict[str, list[Any]] = {"image": [_photograph(x) for x in rows]}
    for task in tasks:
        if targets is not None:
            maps = _flat(targets[task.name], len(rows))
            weights = np.ones(len(rows))
            if labelled is not None:
                weights = np.repeat(np.asarray(labelled[task.name]), views)
            columns[task.name] = [
                paint(task, value) if weight > 0 else None
                for value, weight in zip(maps, weights, strict=False)
            ]
        if predictions is not None:
            maps = _flat(predictions[task.name], len(rows))
            columns[f"{task.name} predicted"] = [
                paint(task, value, predicted=True) for value in maps
            ]
    return _table(columns, rows.shape[1:3])


def paint(task: Task, values: Any, predicted: bool = False) -> Any:
    """Targets or predictions of a task as colours.

    Args:
        task: The task.
        values: Targets of shape `(height, width, task.target_channels)`, or
            predictions of shape `(height, width, task.channels)`.
        predicted: Which of both they are.

    Returns:
        Array of shape `(height, width, 3)`, uint8; void pixels are black.
    """
    values = ops.convert_to_tensor(values)
    if predicted:
        targets = ops.convert_to_numpy(task.codec.to_targets(values))
        return task.to_rgb(targets)
    targets = ops.convert_to_numpy(task.zero_void(values[None]))[0]
    valid = ops.convert_to_numpy(task.valid_mask(values[None]))[0] > 0
    return np.where(valid, task.to_rgb(targets), 0).astype(np.uint8)


def _require(
    argument: str, given: dict[str, Any] | None, tasks: Sequence[Task]
) -> None:
    names = [task.name for task in tasks]
    if given is not None and not set(names) <= set(given):
        raise ValueError(
            f"`{argument}` must be a dict of all tasks {names}; got "
            f"{sorted(given)}."
        )


def _flat(values: Any, count: int) -> Any:
    values = np.asarray(values)
    return values.reshape((-1, *values.shape[-3:]))[:count]


def _photograph(image: Any) -> Any:
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _table(columns: dict[str, list[Any]], size: tuple[int, int]) -> Image.Image:
    height, width = size
    rows = max(len(cells) for cells in columns.values())
    table = Image.new(
        "RGB",
        (
            len(columns) * (width + _GAP) - _GAP,
            rows * (height + _GAP) - _GAP + _TITLE,
        ),
        _BACKGROUND,
    )
    draw = ImageDraw.Draw(table)
    for column, (title, cells) in enumerate(columns.items()):
        left = column * (width + _GAP)
        draw.text((left + 2, 1), title, fill=_INK)
        for row, cell in enumerate(cells):
            top = _TITLE + row * (height + _GAP)
            if cell is None:
                box = (left, top, left + width - 1, top + height - 1)
                draw.rectangle(box, fill=_EMPTY)
                draw.text((left + 4, top + 2), "no label", fill=_INK)
            else:
                table.paste(Image.fromarray(cell), (left, top))
    return table
