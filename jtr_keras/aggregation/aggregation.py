"""What makes one gradient of those of the tasks."""

import abc
import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from keras import ops

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.ops.images import require_shape
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict

Gradients = list[Any]
"""A gradient of each variable; None where the loss does not depend on it."""
REGULARIZATION = "regularization"
"""What the terms that belong to no task are called where they take part."""


class Aggregation(StatefulLayer):
    """From the gradients of several losses to the one that is followed.

    A variable of the network on which the losses of two tasks or more depend is
    shared: its gradient is what `combine` makes of theirs. Every other variable
    gets the sum of its gradients: one task's own layers, and what a balancing
    or a regularization trains.

    What is combined are gradients of the whole batch, over all replicas, and
    without the scale of losses: every replica combines the same numbers. With
    `gradient_accumulation_steps`, each of these steps is combined by itself.

    A task without a label in the batch has a gradient of 0. It must take no
    part: `present` says which tasks do. Where a gradient is not finite, as when
    half precision overflows, no task is said to be present, and the result is
    NaN, at which a scaled optimizer skips the step.

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
        can_be_shared: For each of the gradients, whether its variable belongs
            to the network.

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
            gradients: Of each of `self.task_names`, `(tasks, parameters)`; 0
                for absent ones.
            present: `(tasks,)`, 1 for tasks with a label in the batch, else 0.
        """

    def call(
        self,
        losses: TensorDict,
        rest: Tensor,
        present: TensorDict,
        differentiate: Callable[..., Gradients],
        can_be_shared: Sequence[bool],
    ) -> Gradients:
        if self.include_regularization:
            losses = losses | {REGULARIZATION: rest}
        rows = [differentiate(losses[name]) for name in self.task_names]
        columns = list(zip(*rows, strict=True))
        is_shared = [
            allowed and sum(gradient is not None for gradient in column) > 1
            for allowed, column in zip(can_be_shared, columns, strict=True)
        ]
        shared = [c for c, both in zip(columns, is_shared, strict=True) if both]
        combined = iter(self._combine_all(shared, present) if shared else ())
        result = [
            next(combined) if both else _sum(column)
            for both, column in zip(is_shared, columns, strict=True)
        ]
        if self.include_regularization:
            return result
        others = differentiate(rest)
        return [_sum(pair) for pair in zip(result, others, strict=True)]

    def get_config(self) -> Config:
        return super().get_config() | {
            "include_regularization": self.include_regularization
        }

    def _combine_all(
        self, columns: Sequence[Any], present: TensorDict
    ) -> Gradients:
        """What `combine` makes of the gradients of all shared variables."""
        shapes = [_there(column)[0].shape for column in columns]
        matrix = ops.stack(
            [_flat(row, shapes) for row in zip(*columns, strict=True)]
        )
        takes_part = [
            ops.cast(present[name], matrix.dtype)
            for name in self.task_names
            if name in present
        ]
        if self.include_regularization:
            # Without any term it would be a task whose loss cannot fall.
            some = ops.any(matrix[-1] != 0)
            takes_part.append(ops.cast(some, matrix.dtype))
        finite = ops.all(ops.isfinite(matrix))
        combined = self.combine(
            ops.where(finite, matrix, 0.0),
            ops.where(finite, ops.stack(takes_part), 0.0),
        )
        what = f"{type(self).__name__}.combine"
        require_shape(what, combined, tuple(matrix.shape[1:]))
        combined = ops.where(finite, combined, float("nan"))
        ends = itertools.accumulate(shape.num_elements() for shape in shapes)
        return [
            ops.reshape(combined[end - shape.num_elements() : end], shape)
            for end, shape in zip(ends, shapes, strict=True)
        ]


def _there(gradients: Sequence[Any]) -> list[Any]:
    return [gradient for gradient in gradients if gradient is not None]


def _sum(gradients: Sequence[Any]) -> Any:
    """Sum of the gradients that there are; None without any."""
    there = _there(gradients)
    return sum(there[1:], there[0]) if there else None


def _flat(gradients: Sequence[Any], shapes: Sequence[Any]) -> Tensor:
    """All gradients of a task as one vector, 0 where it has none."""
    parts = [
        ops.zeros((shape.num_elements(),), loss_dtype())
        if gradient is None
        else ops.reshape(ops.cast(gradient, loss_dtype()), (-1,))
        for gradient, shape in zip(gradients, shapes, strict=True)
    ]
    return ops.concatenate(parts)
