"""What makes one gradient of those of the tasks."""

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from keras import ops

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict

Gradients = list[Any]
"""A gradient of each variable; None where the loss does not depend on it."""
REGULARIZATION = "regularization"
"""What the terms that belong to no task are called where they take part."""


class Aggregation(StatefulLayer):
    """From the gradients of several losses to the one that is followed.

    A variable on which the losses of two tasks or more depend is shared: its
    gradient is what `combine` makes of theirs. Any other is a task's own, and
    keeps the task's gradient. The step passes gradients of the whole batch, over
    all replicas and without the scale of losses, so that every replica combines
    the same numbers.

    A task without a label in the batch has a gradient of 0. It must take no
    part: `present` says which tasks do.

    Args:
        include_regularization: bool. Whether the terms of the regularization,
            and of what else belongs to no task, take part like a task's loss;
            else their gradient is added to the result.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        losses: Dict of scalars: what is minimised for each task, weighted.
        rest: Scalar: what else is minimised.
        present: Dict of scalars by task, 1 where the batch has a label of it.
        differentiate: Function from scalars to the gradients of their sum.

    Returns:
        List of gradients in the order of those that `differentiate` returns.
    """

    per_task: ClassVar[bool] = True
    """Whether it needs the gradients of single tasks."""

    def __init__(
        self, include_regularization: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**({"autocast": False} | kwargs))
        self.include_regularization = include_regularization

    def bind(self, tasks: Sequence[Task]) -> None:
        """Tells which tasks there are; called once, by the model."""
        self.require_unbound()
        self.task_names = tuple(task.name for task in tasks)
        if self.include_regularization:
            self.task_names += (REGULARIZATION,)
        self.build_for_tasks()
        self.finish_binding()

    def build_for_tasks(self) -> None:
        """Creates the state, once `self.task_names` are known."""

    @abc.abstractmethod
    def combine(self, gradients: Tensor, present: Tensor) -> Tensor:
        """One gradient of all shared parameters, `(parameters,)`.

        Args:
            gradients: Of each task, `(tasks, parameters)`; 0 for absent ones.
            present: `(tasks,)`, 1 for tasks with a label in the batch, else 0.
        """

    def call(
        self,
        losses: TensorDict,
        rest: Tensor,
        present: TensorDict,
        differentiate: Callable[..., Gradients],
    ) -> Gradients:
        if self.include_regularization:
            losses = losses | {REGULARIZATION: rest}
            present = present | {REGULARIZATION: 1.0}
        by_task = [differentiate(losses[name]) for name in self.task_names]
        result = [_own(gradients) for gradients in zip(*by_task, strict=True)]
        shared = [i for i, each in enumerate(zip(*by_task)) if _is_shared(each)]
        if shared:
            rows = [[g[i] for i in shared] for g in by_task]
            shapes = [_first(each).shape for each in zip(*rows, strict=True)]
            matrix = ops.stack([_flat(row, shapes) for row in rows])
            numbers = [
                ops.cast(present[name], matrix.dtype)
                for name in self.task_names
            ]
            combined = self.combine(matrix, ops.stack(numbers))
            for i, part in zip(shared, _unflat(combined, shapes), strict=True):
                result[i] = part
        if self.include_regularization:
            return result
        others = differentiate(rest)
        return [_sum(pair) for pair in zip(result, others, strict=True)]

    def get_config(self) -> Config:
        return super().get_config() | {
            "include_regularization": self.include_regularization
        }


def _is_shared(gradients: Sequence[Any]) -> bool:
    return sum(gradient is not None for gradient in gradients) > 1


def _first(gradients: Sequence[Any]) -> Any:
    return next((g for g in gradients if g is not None), None)


def _own(gradients: Sequence[Any]) -> Any:
    return None if _is_shared(gradients) else _first(gradients)


def _sum(gradients: Sequence[Any]) -> Any:
    there = [gradient for gradient in gradients if gradient is not None]
    return ops.add(*there) if len(there) > 1 else _first(there)


def _flat(gradients: Sequence[Any], shapes: Sequence[Any]) -> Tensor:
    """All gradients of a task as one vector, 0 where it has none."""
    parts = [
        ops.zeros((shape.num_elements(),), loss_dtype())
        if gradient is None
        else ops.reshape(ops.cast(gradient, loss_dtype()), (-1,))
        for gradient, shape in zip(gradients, shapes, strict=True)
    ]
    return ops.concatenate(parts)


def _unflat(vector: Tensor, shapes: Sequence[Any]) -> list[Tensor]:
    parts, begin = [], 0
    for shape in shapes:
        end = begin + shape.num_elements()
        parts.append(ops.reshape(vector[begin:end], shape))
        begin = end
    return parts
