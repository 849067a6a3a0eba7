"""The terms of what is minimised."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.views import first_views
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.tasks.task import Task
from jtr_keras.training.batches import fold_views
from jtr_keras.types import Tensor, TensorDict


def supervised_losses(
    tasks: Sequence[Task],
    y_true: TensorDict,
    y_pred: TensorDict,
    labelled: TensorDict,
    num_views: int = 1,
) -> dict[str, Tensor]:
    """Loss of each task on the first views, by `"<task>_loss"`.

    The mean is over all images of the batch, as in the reference, with 0 for
    those without the label.

    Args:
        tasks: The tasks.
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of weights, `(batch,)`.
        num_views: How many views count, equally.

    Returns:
        Dict of scalars.
    """
    losses = {}
    for task in tasks:
        name = task.name
        loss = task.loss(
            *(
                fold_views(first_views(y[name], num_views))
                for y in (y_true, y_pred)
            )
        )
        weight = ops.repeat(ops.cast(labelled[name], loss.dtype), num_views)
        losses[f"{name}_loss"] = image_mean(weight * loss)
    return losses


def task_weights(
    balancing: Balancing | None, losses: TensorDict, labelled: TensorDict
) -> tuple[TensorDict, Tensor]:
    """Weights of the supervised losses, the same on all replicas.

    Args:
        balancing: What chooses the weights; None for 1.
        losses: Dict with the loss of each task, by `"<task>_loss"`.
        labelled: Dict of weights, `(batch,)`, in the order of the tasks.

    Returns:
        Dict of scalars by task name, and a further term of the objective.
    """
    if balancing is None:
        return {}, 0.0
    values = [losses[f"{name}_loss"] for name in labelled]
    rates = [
        image_mean(ops.cast(weight > 0, values[0].dtype))
        for weight in labelled.values()
    ]
    means = ops.stop_gradient(ops.stack([*values, *rates]))
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        context = tf.distribute.get_replica_context()
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, means)
    means = ops.unstack(means)
    return balancing(
        dict(zip(labelled, means[: len(values)], strict=True)),
        dict(zip(labelled, means[len(values) :], strict=True)),
    )


def layer_losses(network: keras.Model) -> Tensor:
    """What layers added in their last call, such as a `kernel_regularizer`."""
    losses = [ops.cast(loss, loss_dtype()) for loss in network.losses]
    return sum(map(ops.sum, losses), start=0.0)


def total_loss(
    losses: dict[str, Tensor],
    regularization: TaskRegularization | None,
    weights_by_task: TensorDict | None = None,
) -> Tensor:
    """Weighted sum of the terms; supervised ones have weight 1 by default."""
    weights = dict(regularization.loss_weights) if regularization else {}
    for name, weight in (weights_by_task or {}).items():
        weights[f"{name}_loss"] = weight
    total: Tensor = 0.0
    for name, loss in losses.items():
        total += weights.get(name, 1.0) * loss
    return total


def require_terms(regularization: TaskRegularization, terms: Any) -> None:
    """ValueError if a regularization returned other terms than it has."""
    expected = sorted(regularization.loss_weights)
    found = sorted(terms) if isinstance(terms, dict) else type(terms)
    if found != expected:
        raise ValueError(
            f"`{type(regularization).__name__}.call` must return a dict of the "
            f"terms in its `loss_weights`, {expected}; got {found}."
        )
