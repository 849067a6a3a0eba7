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


def denoising_errors(
    stacks: CoarseStacks, where: Sequence[Tensor], denoised: Sequence[Tensor]
) -> Tensor:
    """How far from labels denoised codes are, `(batch, tasks)`.

    `where` has a map a task: 1 for cells that count, 0 for others.
    """
    maps = zip(stacks.tasks, stacks.labels, denoised, strict=True)
    return means(where, [task.code_error(a, b) for task, a, b in maps])


def restoration_errors(
    stacks: CoarseStacks, where: Sequence[Tensor], restored: Sequence[Tensor]
) -> Tensor:
    """How far from labels restored codes are, `(batch, tasks)`."""
    maps = zip(stacks.tasks, stacks.labels, restored, strict=True)
    return means(where, [task.restoration_error(a, b) for task, a, b in maps])


def means(where: Sequence[Tensor], errors: Sequence[Tensor]) -> Tensor:
    """Mean error of each task over all cells, 0 where none counts.

    Of shape `(batch, tasks)`.
    """
    return ops.stack(
        [
            ops.mean(counts * error, axis=(1, 2, 3))
            for counts, error in zip(where, errors, strict=True)
        ],
        axis=-1,
    )
