"""The gradient of the sum of all losses."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from jtr_keras.aggregation.aggregation import Aggregation, Gradients
from jtr_keras.types import Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class SumOfGradients(Aggregation):
    """The sum of the gradients: that of the sum of losses, made at once.

    It costs no more than any training does, and is the default. A task without
    a label in the batch adds nothing.

    Args:
        include_regularization: bool. The sum is the same either way.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        losses: Dict of scalars: what is minimised for each task, weighted.
        rest: Scalar: what else is minimised.
        present: Not used.
        differentiate: Function from scalars to the gradients of their sum.
        can_be_shared: Not used.

    Returns:
        List of gradients.
    """

    per_task = False

    def combine(self, gradients: Tensor, present: Tensor) -> Tensor:
        return ops.sum(gradients, axis=0)

    def call(
        self,
        losses: TensorDict,
        rest: Tensor,
        present: TensorDict,
        differentiate: Callable[..., Gradients],
        can_be_shared: Sequence[bool],
    ) -> Gradients:
        return differentiate(*losses.values(), rest)
