"""Weights that are sampled anew at every step."""

from typing import Any

import keras

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.balancing.softmax_weights import softmax_weights
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class RandomLossWeighting(Balancing):
    """A softmax of standard normal numbers, sampled anew at every step.

    In the paper the weights sum to 1; here to the number of tasks present, so
    that their mean is 1, as with equal weights.

    Every task has its number; that of an absent one is not in the softmax. The
    generator's state is saved and moves by one at each step, whatever labels
    there are; the numbers are the same on all replicas. XLA makes others than
    TensorFlow does of the same seed.

    Args:
        seed: int or None. Seed of the numbers.
        **kwargs: Arguments of `Balancing`.

    Call arguments:
        losses: Dict of scalars by task name.
        label_rates: Dict of scalars by task name, 0 without any label.

    Returns:
        Dict of weights by task name, and 0.

    Example:

    >>> random = jtr_keras.balancing.RandomLossWeighting(seed=0)
    >>> random.bind([jtr_keras.tasks.Depth(mean=2.0, stddev=1.0),
    ...              jtr_keras.tasks.SurfaceNormals()])
    >>> weights, _ = random(
    ...     losses={"depth": 3.0, "normals": 0.0},
    ...     label_rates={"depth": 0.5, "normals": 0.0})
    >>> float(weights["depth"]), float(weights["normals"])
    (1.0, 0.0)

    Reference:
        - [Lin et al., 2022](https://arxiv.org/abs/2111.10603)
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def build_for_tasks(self) -> None:
        # Not earlier: its variable must be made where the model's are.
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def weigh(self, losses: Tensor, label_rates: Tensor) -> Tensor:
        scores = keras.random.normal(
            (len(self.task_names),),
            dtype=loss_dtype(),
            seed=self.seed_generator,
        )
        return softmax_weights(scores, label_rates)

    def get_config(self) -> Config:
        return super().get_config() | {"seed": self.seed}
