"""Weights that stay."""

from typing import Any

import keras

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class FixedWeights(Balancing):
    """The same weights at every step; by default equal ones.

    An absent task contributes nothing, and the others keep their weights.

    Args:
        weights: Dict of floats by task name; 1 for tasks that are not in it.
            Defaults to equal weights of 1.
        **kwargs: Arguments of `Balancing`.

    Call arguments:
        losses: Dict of scalars by task name.
        label_rates: Dict of scalars by task name, 0 without any label.

    Returns:
        Dict of weights by task name, and 0.

    Raises:
        ValueError: If there is a weight for a task that does not exist.

    Example:

    >>> fixed = jtr_keras.balancing.FixedWeights({"depth": 0.5})
    >>> fixed.bind([jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)])
    >>> weights, _ = fixed(
    ...     losses={"depth": 3.0}, label_rates={"depth": 0.25})
    >>> float(weights["depth"])
    0.5
    """

    def __init__(
        self, weights: dict[str, float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.given = None if weights is None else dict(weights)

    def build_for_tasks(self) -> None:
        self.per_task("weights", self.given)  # Complains early.

    def weigh(self, losses: Tensor, label_rates: Tensor) -> Tensor:
        return self.per_task("weights", self.given)

    def get_config(self) -> Config:
        weights = None if self.given is None else dict(self.given)
        return super().get_config() | {"weights": weights}
