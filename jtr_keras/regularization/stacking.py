"""Stacks of all tasks' codes, taken apart."""

import itertools
from collections.abc import Sequence

from keras import ops

from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


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
