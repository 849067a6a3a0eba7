"""How much targets that a network made are to weigh."""

from typing import Any

import keras
from keras import ops

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.types import Config, Tensor

SMALLEST = 1e-6
"""Error below which a difference tells nothing."""
LARGEST = 4.0
"""Largest weight; 1 over it is the smallest."""


@keras.saving.register_keras_serializable(package="jtr_keras")
class ReliabilityWeights(StatefulLayer):
    """Weighs the targets of each task by how much better they have become.

    Where the true target is known, two errors are compared: that of a target
    before it was improved, and after. The weight is the square of the ratio of
    their moving averages: 1 if nothing has changed, 4, the largest, if half of
    the error is left; at least 1/4.

    Args:
        num_tasks: int. How many weights there are.
        momentum: float. Share of the old averages that a step keeps.
        **kwargs: Arguments of `keras.layers.Layer`.

    Example:

    >>> reliability = jtr_keras.regularization.ReliabilityWeights(num_tasks=2)
    >>> reliability.update(before=[0.4, 0.3], after=[0.2, 0.3])
    >>> reliability.task_weights().numpy().round(2)
    array([4., 1.], dtype=float32)
    """

    def __init__(
        self, num_tasks: int, momentum: float = 0.99, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_tasks = num_tasks
        self.momentum = momentum
        self.before = self.add_state("before", (num_tasks,))
        self.after = self.add_state("after", (num_tasks,))
        self.built = True

    def update(self, before: Tensor, after: Tensor) -> None:
        """Adds a step's errors; a task with one that is not finite is left out.

        Args:
            before: Errors of what was to be improved, `(num_tasks,)`, 0 where
                no true target is known.
            after: Errors of the targets that came of it, in the same places.
        """
        finite = ops.isfinite(ops.add(before, after))
        for average, error in ((self.before, before), (self.after, after)):
            difference = ops.cast(error, average.dtype) - average
            step = ops.where(finite, difference, ops.zeros_like(difference))
            average.assign_add((1.0 - self.momentum) * step)

    def task_weights(self) -> Tensor:
        """The weights, `(num_tasks,)`; 1 before the first `update`."""
        ratio = (self.before + SMALLEST) / (self.after + SMALLEST)
        return ops.clip(ops.square(ratio), 1.0 / LARGEST, LARGEST)

    def get_config(self) -> Config:
        return super().get_config() | {
            "num_tasks": self.num_tasks,
            "momentum": self.momentum,
        }
