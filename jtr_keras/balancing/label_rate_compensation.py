"""Undoing that a task with few labels counts little."""

from typing import Any

import keras
from keras import ops

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class LabelRateCompensation(StatefulLayer):
    """Factors `1 / rate` from the running label rates of the tasks.

    A supervised loss is the mean over all images, with 0 for those without the
    label: a task labelled in one image of three has a third of its weight.
    Times its factor, the loss is the mean over labelled images, on average over
    the batches. Part of every `Balancing(compensate_label_rate=True)`.

    A batch without any label of a task lowers the task's rate: leaving such
    batches out would find rates too high, with one image a batch always 1.

    The first label after a long absence thus counts much: its factor is up to
    `1 / (1 - momentum)` times one over the batch's own rate.

    The rates begin with 1, as if after one batch with every label, and are
    plain means until there were enough batches for the momentum.

    Args:
        momentum: float. Share of the old rate that a step keeps; 0 for the
            rate of each batch alone, so that the loss is the mean over its
            labelled images, however few.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        label_rates: Tensor of shape `(tasks,)`: the share of the batch's
            images that have the label, the same on all replicas. The rates
            are updated before they are used.

    Returns:
        Tensor of shape `(tasks,)`; 0 where the running rate is 0.

    Raises:
        ValueError: If `momentum` is not in `[0, 1)`.

    Example:

    >>> compensate = jtr_keras.balancing.LabelRateCompensation(momentum=0.0)
    >>> compensate(tf.constant([1.0, 0.25])).numpy().tolist()
    [1.0, 4.0]

    Reference:
        - Ours; [Nishi et al., 2024](https://arxiv.org/abs/2404.01976) leave
          weights proportional to the label rates.
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**({"autocast": False} | kwargs))
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1); got {momentum}.")
        self.momentum = momentum

    def build(self, input_shape: Shape) -> None:
        self.steps = self.add_state("steps", ())
        self.rates = self.add_state("rates", input_shape, "ones")

    def call(self, label_rates: Tensor) -> Tensor:
        steps = ops.convert_to_tensor(self.steps)
        momentum = ops.minimum(self.momentum, (1.0 + steps) / (2.0 + steps))
        rates = momentum * self.rates + (1.0 - momentum) * label_rates
        self.steps.assign(steps + 1.0)
        self.rates.assign(rates)
        known = rates > 0
        return ops.where(known, 1.0 / ops.where(known, rates, 1.0), 0.0)

    def get_config(self) -> Config:
        return super().get_config() | {"momentum": self.momentum}
