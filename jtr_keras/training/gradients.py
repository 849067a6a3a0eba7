"""From the parts of a loss to the gradients that the optimizer gets."""

from collections.abc import Sequence
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
    network: Sequence[Any],
    scale: Tensor = 1.0,
) -> Gradients:
    """What `aggregation` makes of the gradients, for `Optimizer.apply`.

    The optimizer adds the gradients of all replicas and takes the scale of
    losses off again. Gradients of single tasks are treated so before they are
    combined: what is combined is of the whole batch, on every replica.

    Args:
        aggregation: What combines them.
        tape: Recorded the losses; persistent if it combines single tasks'.
        losses: Dict of scalars: each task's part of the objective.
        rest: Scalar: what belongs to no task.
        present: Dict of scalars by task, 1 if the batch has its label.
        variables: What is trained.
        network: Those of them that belong to the network.
        scale: By what the optimizer wants losses multiplied.

    Returns:
        A gradient of each variable, or None.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    # Replicas' gradients are summed; their losses are means.
    factor = scale / replicas
    # Not later: in a layer of a mixed policy they would be cast.
    values = [variable.value for variable in variables]

    def differentiate(*losses: Tensor) -> Gradients:
        with tape:
            total = tf.convert_to_tensor(sum(losses, start=0.0))
        seed = tf.ones_like(total) * tf.cast(factor, total.dtype)
        gradients: Gradients = tape.gradient(total, values, seed)
        return gradients

    def differentiate_whole(*losses: Tensor) -> Gradients:
        found = differentiate(*losses)
        # Dense ones: what looks up rows has gradients of these alone.
        there = [tf.convert_to_tensor(g) for g in found if g is not None]
        if replicas > 1 and there:
            context = tf.distribute.get_replica_context()
            there = context.all_reduce(tf.distribute.ReduceOp.SUM, there)
        whole = iter(there)
        return [None if g is None else next(whole) / scale for g in found]

    per_task = aggregation.per_task
    own = {id(variable) for variable in network}
    found = aggregation(
        losses=losses,
        rest=rest,
        present=present,
        differentiate=differentiate_whole if per_task else differentiate,
        can_be_shared=[id(variable) in own for variable in variables],
    )
    if not per_task:
        return found
    return [None if g is None else g * factor for g in found]
