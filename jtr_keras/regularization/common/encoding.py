"""The codes of all tasks, and stacks of them along the channels."""

import itertools
from collections.abc import Sequence

from keras import ops

from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


def encode_targets(task: Task, targets: Tensor) -> Tensor:
    """Code of targets as they come, the code of nothing at void pixels.

    Args:
        task: Whose targets they are.
        targets: Tensor of shape `(batch, height, width, target_channels)`.

    Returns:
        Tensor of shape `(batch, height, width, channels)`, in `[0, 1]`.
    """
    code = task.codec.encode(task.zero_void(targets))
    empty = ops.full_like(code, task.codec.empty)
    return ops.where(task.valid_mask(targets) > 0, code, empty)


def split_by_task(tasks: Sequence[Task], stack: Tensor) -> list[Tensor]:
    """Undoes the concatenation of the tasks' codes along the channels.

    Args:
        tasks: The tasks, in the order of the stack.
        stack: Tensor of shape `(batch, height, width, channels)`, as many as
            all tasks have.

    Returns:
        A tensor of each task, `(batch, height, width, task.channels)`.
    """
    ends = itertools.accumulate(task.channels for task in tasks)
    # With one task there is no place to split at.
    return ops.split(stack, list(ends)[:-1] or 1, axis=-1)
