"""How far targets that a network made are to be trusted."""

from typing import Any

import keras
from keras import ops

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.types import Config, Tensor

SMALLEST = 1e-6


@keras.saving.register_keras_serializable(package="jtr_keras")
class Trust(StatefulLayer):
    """Weighs the targets of each task by how good such targets have been.

    Where the true target is known, two errors are compared: that of a made
    target and that of the prediction which would have learned from it. The
    weight is the square of the ratio of their moving averages: 1 if both were
    equally wrong, 4 if the made targets were twice as good.

    Args:
        num_tasks: int. How many weights there are.
        momentum: float. Share of the old averages that a step keeps.
        **kwargs: Arguments of `keras.layers.Layer`.

    Example:

    >>> trust = jtr_keras.regularization.Trust(num_tasks=2)
    >>> trust.update(predicted=[0.4, 0.3], made=[0.2, 0.3])
    >>> trust.factors().numpy().round(2)
    array([4., 1.], dtype=float32)
    """

    def __init__(
        self, num_tasks: int, momentum: float = 0.99, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_tasks = num_tasks
        self.momentum = momentum
        self.predicted = self.add_state("predicted", (num_tasks,))
        self.made = self.add_state("made", (num_tasks,))
        self.built = True

    def update(self, predicted: Tensor, made: Tensor) -> None:
        """Adds a step's errors, `(num_tasks,)`; 0 where none is known."""
        for average, error in ((self.predicted, predicted), (self.made, made)):
            difference = ops.cast(error, average.dtype) - average
            average.assign_add((1.0 - self.momentum) * difference)

    def factors(self) -> Tensor:
        """The weights, `(num_tasks,)`; 1 before the first `update`."""
        return ops.square((self.predicted + SMALLEST) / (self.made + SMALLEST))

    def get_config(self) -> Config:
        return super().get_config() | {
            "num_tasks": self.num_tasks,
            "momentum": self.momentum,
        }
