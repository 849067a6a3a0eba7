"""Weights by learnt homoscedastic uncertainty."""

from typing import Any

import keras
from keras import ops

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class UncertaintyWeights(Balancing):
    """Weights `c exp(-s)`, with a trained log variance `s` for each task.

    The objective is the sum of `c exp(-s) loss + s / 2` over the tasks present
    in the batch. The log variances start at 0 and train with the network, by
    its optimizer. At their optimum the weight is `1 / (2 loss)`, whatever `c`:
    `c` shifts `s`, and is the weight at the start.

    An absent task adds no `s / 2`, and its log variance has gradient 0; without
    this it would fall at every such step. (An optimizer with momentum or weight
    decay moves it a little, as it does every weight with gradient 0.)

    Args:
        factors: Dict of floats by task name, the `c`; 1 for tasks that are not
            in it, so that training starts with equal weights. In the paper 1
            for classification, and 1/2 for regression, where the squared error
            has a normal law.
        **kwargs: Arguments of `Balancing`.

    Call arguments:
        losses: Dict of scalars by task name.
        label_rates: Dict of scalars by task name, 0 without any label.

    Returns:
        Dict of weights by task name, and the sum of `s / 2`.

    Raises:
        ValueError: If there is a factor for a task that does not exist.

    Example:

    >>> uncertainty = jtr_keras.balancing.UncertaintyWeights({"depth": 0.5})
    >>> uncertainty.bind([jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)])
    >>> weights, penalty = uncertainty(
    ...     losses={"depth": 3.0}, label_rates={"depth": 0.25})
    >>> float(weights["depth"]), float(penalty)
    (0.5, 0.0)

    Reference:
        - [Kendall et al., 2018](https://arxiv.org/abs/1705.07115), section 3
    """

    def __init__(
        self, factors: dict[str, float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factors = None if factors is None else dict(factors)

    def build_for_tasks(self) -> None:
        self.per_task("factors", self.factors)  # Complains early.
        self.log_variances = self.add_weight(
            shape=(len(self.task_names),),
            initializer="zeros",
            dtype=loss_dtype(),
            autocast=False,
            name="log_variances",
        )

    def weigh(self, losses: Tensor, label_rates: Tensor) -> Tensor:
        precisions = ops.exp(-self.log_variances)
        return self.per_task("factors", self.factors) * precisions

    def penalty(self, label_rates: Tensor) -> Tensor:
        logs = ops.where(label_rates > 0, self.log_variances, 0.0)
        return 0.5 * ops.sum(logs)

    def get_config(self) -> Config:
        factors = None if self.factors is None else dict(self.factors)
        return super().get_config() | {"factors": factors}
