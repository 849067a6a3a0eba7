"""Weights by the speed at which losses fall."""

from typing import Any

import keras
from keras import ops

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.balancing.softmax_weights import softmax_weights
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class DynamicWeightAverage(Balancing):
    """More weight to tasks whose losses fell less.

    A softmax of `ratio / temperature` over the tasks, times their number, where
    a task's ratio is its mean loss of the last period over that of the period
    before; 1 until there were two. A mean is over the images with the label:
    how many there were in a batch or a period does not matter.

    An absent task is not in the softmax and adds nothing to its mean. One that
    was absent for a whole period keeps the two means of earlier: its periods
    are those in which it had a label. A loss that is not finite counts as no
    label there.

    Args:
        period: int. Steps of a period. The paper's is an epoch: set it to the
            steps of one.
        temperature: float. The larger, the more equal the weights.
        **kwargs: Arguments of `Balancing`.

    Call arguments:
        losses: Dict of scalars by task name.
        label_rates: Dict of scalars by task name, 0 without any label.

    Returns:
        Dict of weights by task name, and 0.

    Raises:
        ValueError: If `period` or `temperature` is not positive.

    Example:

    >>> average = jtr_keras.balancing.DynamicWeightAverage(period=1)
    >>> average.bind([jtr_keras.tasks.Depth(mean=2.0, stddev=1.0),
    ...               jtr_keras.tasks.SurfaceNormals()])
    >>> rates = {"depth": 0.5, "normals": 0.5}
    >>> for depth in (2.0, 1.0, 1.0):
    ...     weights, _ = average(
    ...         losses={"depth": depth, "normals": 1.0}, label_rates=rates)
    >>> bool(weights["depth"] < weights["normals"])
    True

    Reference:
        - [Liu et al., 2019](https://arxiv.org/abs/1803.10704), section 3.3
    """

    def __init__(
        self, period: int = 100, temperature: float = 2.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if period < 1 or not temperature > 0:
            raise ValueError(
                "`period` and `temperature` must be positive; got "
                f"{period} and {temperature}."
            )
        self.period = period
        self.temperature = temperature

    def build_for_tasks(self) -> None:
        shape = (len(self.task_names),)
        self.steps = self.add_state("steps", ())
        self.loss_sums = self.add_state("loss_sums", shape)
        self.rate_sums = self.add_state("rate_sums", shape)
        self.last_means = self.add_state("last_means", shape)
        self.earlier_means = self.add_state("earlier_means", shape)

    def weigh(self, losses: Tensor, label_rates: Tensor) -> Tensor:
        last = ops.convert_to_tensor(self.last_means)
        earlier = ops.convert_to_tensor(self.earlier_means)
        known = earlier > 0
        ratios = ops.where(known, last / ops.where(known, earlier, 1.0), 1.0)
        self._accumulate(losses, label_rates)
        return softmax_weights(ratios / self.temperature, label_rates)

    def _accumulate(self, losses: Tensor, label_rates: Tensor) -> None:
        """Adds the batch to the period, and ends it when it is full."""
        last = ops.convert_to_tensor(self.last_means)
        finite = ops.isfinite(losses)
        loss_sums = self.loss_sums + ops.where(finite, losses, 0.0)
        rate_sums = self.rate_sums + ops.where(finite, label_rates, 0.0)
        steps = self.steps + 1.0
        ended = steps >= self.period
        moved = ops.logical_and(ended, rate_sums > 0)
        means = loss_sums / ops.where(rate_sums > 0, rate_sums, 1.0)
        self.earlier_means.assign(ops.where(moved, last, self.earlier_means))
        self.last_means.assign(ops.where(moved, means, last))
        self.loss_sums.assign(ops.where(ended, 0.0, loss_sums))
        self.rate_sums.assign(ops.where(ended, 0.0, rate_sums))
        self.steps.assign(ops.where(ended, 0.0, steps))

    def get_config(self) -> Config:
        config = {"period": self.period, "temperature": self.temperature}
        return super().get_config() | config
