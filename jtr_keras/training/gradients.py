"""From the parts of a loss to the gradients that the optimizer gets."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from jtr_keras.aggregation.aggregation import Aggregation, Gradients
from jtr_keras.types import Tensor, TensorDict


def aggregate(
    aggregation: Aggregation,
    tape: tf.GradientTape,
    losses: TensorDict,
    rest: Tensor,
    present: TensorDict,
    variables: Sequence[Any],
    scale: Tensor,
) -> Gradients:
    """What `aggregation` makes of the gradients, for `Optimizer.apply`.

    The optimizer adds the gradients of all replicas and takes the scale of
    losses off again. So do gradients of single tasks before they are combined:
    what is combined is the gradient of the whole batch, on every replica.

    Args:
        aggregation: What combines them.
        tape: Recorded the losses; persistent if it combines single tasks'.
        losses: Dict of scalars: each task's part of the objective.
        rest: Scalar: what belongs to no task.
        present: Dict of scalars by task, 1 if the batch has its label.
        variables: What is trained.
        scale: By what the optimizer wants losses multiplied.

    Returns:
        A gradient of each variable, or None.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    # Replicas' gradients are summed; their losses are means.
    factor = scale / replicas

    def scaled(*losses: Tensor) -> Gradients:
        with tape:
            part = tf.convert_to_tensor(sum(losses, start=0.0)) * factor
        gradients: Gradients = tape.gradient(part, variables)
        return gradients

    combine = partial(aggregation, losses=losses, rest=rest, present=present)
    if not aggregation.per_task:
        return combine(differentiate=scaled)

    def differentiate(*losses: Tensor) -> Gradients:
        found = scaled(*losses)
        there = [gradient for gradient in found if gradient is not None]
        if replicas > 1 and there:
            context = tf.distribute.get_replica_context()
            there = context.all_reduce(tf.distribute.ReduceOp.SUM, there)
        whole = iter(there)
        return [None if g is None else next(whole) / scale for g in found]

    found = combine(differentiate=differentiate)
    return [None if g is None else g * factor for g in found]
