"""The geometric mean of the losses as the objective."""

import keras
from keras import ops

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.types import Tensor

SMALLEST = 1e-7
"""What a smaller loss, or one below 0 by rounding, counts as."""


@keras.saving.register_keras_serializable(package="jtr_keras")
class GeometricLoss(Balancing):
    """Weights that make the sum the geometric mean of the losses.

    With `n` tasks present and `G` the geometric mean of their losses, a task's
    weight is `G / (n loss)`, taken as a constant: the weighted losses sum to
    `G`, and their gradients to that of `G`. Units of the tasks change only the
    size of the whole.

    An absent task does not enter the mean: neither its loss of 0 nor the
    number `n` of factors.

    Args:
        **kwargs: Arguments of `Balancing`.

    Call arguments:
        losses: Dict of scalars by task name.
        label_rates: Dict of scalars by task name, 0 without any label.

    Returns:
        Dict of weights by task name, and 0.

    Example:

    >>> geometric = jtr_keras.balancing.GeometricLoss()
    >>> geometric.bind([jtr_keras.tasks.Depth(mean=2.0, stddev=1.0),
    ...                 jtr_keras.tasks.SurfaceNormals()])
    >>> weights, _ = geometric(
    ...     losses={"depth": 4.0, "normals": 1.0},
    ...     label_rates={"depth": 0.5, "normals": 0.5})
    >>> round(float(weights["depth"] * 4.0 + weights["normals"] * 1.0), 4)
    2.0

    Reference:
        - [Chennupati et al., 2019](https://arxiv.org/abs/1904.08492)
    """

    def weigh(self, losses: Tensor, label_rates: Tensor) -> Tensor:
        losses = ops.maximum(losses, SMALLEST)
        present = ops.cast(label_rates > 0, losses.dtype)
        count = ops.maximum(ops.sum(present), 1.0)
        mean = ops.exp(ops.sum(present * ops.log(losses)) / count)
        return mean / (count * losses)
