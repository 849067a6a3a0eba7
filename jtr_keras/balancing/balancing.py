"""What weighs the supervised losses of the tasks against each other."""

import abc
from collections.abc import Sequence
from typing import Any

from keras import ops

from jtr_keras.balancing.label_rate_compensation import LabelRateCompensation
from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.ops.images import require_shape
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict


class Balancing(StatefulLayer):
    """From the losses of the tasks in a batch to their weights.

    A task is absent from a batch that has no label of it, or only labels
    without an annotated pixel: its loss is exactly 0. Its weight is then 0,
    it takes no part in other tasks' weights, and moves no state, whatever the
    strategy; only the label rate falls, which is what it counts. (What trains
    by an optimizer with momentum goes on moving; see `UncertaintyWeights`.)

    Each call is a training step. The step passes means over all replicas, so
    that weights and state are the same on each, also where a task is absent
    from one and present on another.

    Args:
        compensate_label_rate: bool. Whether losses are divided by the tasks'
            label rates first; see `LabelRateCompensation`.
        label_rate_momentum: float. Momentum of the running label rates.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        losses: Dict of scalars: each task's loss, the mean over all images of
            the batch with 0 for those without the label. No gradient passes.
        label_rates: Dict of scalars: the share of images with the label.

    Returns:
        A dict of scalars, the weights of the losses as they came; and a
        scalar to be added to the objective, which trains the layer's weights.
    """

    def __init__(
        self,
        compensate_label_rate: bool = False,
        label_rate_momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(**({"autocast": False} | kwargs))
        self.compensate_label_rate = compensate_label_rate
        self.label_rate_momentum = label_rate_momentum
        self.compensation: LabelRateCompensation | None = None

    def bind(self, tasks: Sequence[Task]) -> None:
        """Tells which tasks there are; called once, by the model."""
        self.require_unbound()
        self.task_names = tuple(task.name for task in tasks)
        if self.compensate_label_rate:
            self.compensation = LabelRateCompensation(self.label_rate_momentum)
            self.compensation.build((len(self.task_names),))
        self.build_for_tasks()
        self.finish_binding()

    def call(
        self, losses: TensorDict, label_rates: TensorDict
    ) -> tuple[TensorDict, Tensor]:
        values, rates = (
            ops.stack(
                [ops.cast(d[name], loss_dtype()) for name in self.task_names]
            )
            for d in (losses, label_rates)
        )
        values = ops.stop_gradient(values)
        # A loss that is NaN is present: who trains must see it.
        present = ops.logical_and(rates > 0, values != 0)
        factors = self.compensation(rates) if self.compensation else 1.0
        # Before a product: of rates that have faded to nothing it is infinite.
        factors = ops.where(present, factors, 0.0)
        # Both, so that their quotient is a mean over labelled images.
        rates = factors * rates
        values = ops.where(present, factors * values, 0.0)
        weights = ops.convert_to_tensor(self.weigh(values, rates))
        if len(weights.shape):  # One number for all tasks will do.
            what = f"{type(self).__name__}.weigh"
            require_shape(what, weights, (len(self.task_names),))
        weights = factors * weights
        weights = ops.unstack(ops.where(present, weights, 0.0))
        by_name = dict(zip(self.task_names, weights, strict=True))
        return by_name, self.penalty(rates)

    @abc.abstractmethod
    def weigh(self, losses: Tensor, label_rates: Tensor) -> Tensor:
        """Weights of the tasks, `(tasks,)`; what absent ones get is ignored.

        Args:
            losses: `(tasks,)`, divided by the label rates where asked for; 0
                for absent tasks.
            label_rates: `(tasks,)`, divided likewise; 0 for absent tasks
                alone.
        """

    def build_for_tasks(self) -> None:
        """Creates the variables, once `self.task_names` are known."""

    def penalty(self, label_rates: Tensor) -> Tensor:
        """A scalar for the objective; `label_rates` as for `weigh`."""
        return ops.zeros((), loss_dtype())

    def per_task(self, argument: str, given: dict[str, float] | None) -> Tensor:
        """An argument's numbers, `(tasks,)`; 1 for tasks without one."""
        unknown = sorted(set(given or {}) - set(self.task_names))
        if unknown:
            raise ValueError(
                f"`{argument}` must be numbers by the names of tasks, "
                f"{list(self.task_names)}; got {unknown}."
            )
        numbers = [(given or {}).get(name, 1.0) for name in self.task_names]
        return ops.convert_to_tensor(numbers, loss_dtype())

    def get_config(self) -> Config:
        return super().get_config() | {
            "compensate_label_rate": self.compensate_label_rate,
            "label_rate_momentum": self.label_rate_momentum,
        }
