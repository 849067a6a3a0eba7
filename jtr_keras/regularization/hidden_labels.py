"""Labels that are hidden from a restorer, and how far from them it ends."""

from collections.abc import Sequence

from keras import ops

from jtr_keras.regularization.coarse_stacks import CoarseStacks
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


def hide(
    tasks: Sequence[Task], labelled: TensorDict, uniform: Tensor
) -> list[Tensor]:
    """For each task 1 for images whose label is hidden, `(batch, 1, 1, 1)`.

    Of an image's labels it is that with the largest number of `uniform`,
    `(batch, tasks)`.
    """
    there = ops.stack([labelled[task.name] > 0 for task in tasks], axis=-1)
    numbers = ops.where(there, uniform, -ops.ones_like(uniform))
    first = ops.one_hot(
        ops.argmax(numbers, axis=-1), len(tasks), dtype=uniform.dtype
    )
    first = first * ops.cast(there, uniform.dtype)
    return ops.split(first[:, None, None, :], len(tasks), axis=-1)


def denoising_error(
    stacks: CoarseStacks, where: Sequence[Tensor], denoised: Sequence[Tensor]
) -> Tensor:
    """How far from labels denoised codes are, summed over tasks, `(batch,)`.

    `where` has a map a task: 1 for cells that count, 0 for others.
    """
    error: Tensor = 0.0
    for task, *maps in zip(
        stacks.tasks, where, stacks.labels, denoised, strict=True
    ):
        counts, label, code = maps
        error += mean(counts * task.code_error(label, code))
    return error


def restoration_errors(
    stacks: CoarseStacks, where: Sequence[Tensor], restored: Sequence[Tensor]
) -> Tensor:
    """How far from labels restored codes are, `(batch, tasks)`."""
    errors = []
    for task, *maps in zip(
        stacks.tasks, where, stacks.labels, restored, strict=True
    ):
        counts, label, code = maps
        errors.append(mean(counts * task.restoration_error(label, code)))
    return ops.stack(errors, axis=-1)


def mean(error: Tensor) -> Tensor:
    """Mean over the cells of each image, `(batch,)`."""
    return ops.mean(error, axis=(1, 2, 3))
