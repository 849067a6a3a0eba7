"""The named losses of a step, their weights and their running means."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf
from keras import ops

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.views import first_views
from jtr_keras.tasks.task import Task
from jtr_keras.training.batch import fold_views
from jtr_keras.types import Tensor, TensorDict

Means = dict[str, keras.metrics.Mean]


def supervised_losses(
    tasks: Sequence[Task],
    y_true: TensorDict,
    y_pred: TensorDict,
    labelled: TensorDict,
    num_views: int = 1,
) -> TensorDict:
    """Loss of each task on the first views, by its name.

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
        loss = task.loss(
            *(
                fold_views(first_views(y[task.name], num_views))
                for y in (y_true, y_pred)
            )
        )
        weight = ops.cast(labelled[task.name], loss.dtype)
        losses[task.name] = image_mean(ops.repeat(weight, num_views) * loss)
    return losses


def global_means(
    losses: TensorDict, labelled: TensorDict
) -> tuple[TensorDict, TensorDict]:
    """Losses and label rates of the whole batch, the same on all replicas.

    Args:
        losses: Dict of scalars by task.
        labelled: Dict of weights by task, `(batch,)`.

    Returns:
        Dict of the losses' means over replicas, constants; dict of the shares
        of images with the label.
    """
    values = list(losses.values())
    rates = [
        image_mean(ops.cast(labelled[name] > 0, values[0].dtype))
        for name in losses
    ]
    means = ops.stop_gradient(ops.stack([*values, *rates]))
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        context = tf.distribute.get_replica_context()
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, means)
    numbers = ops.unstack(means)
    return (
        dict(zip(losses, numbers[: len(losses)], strict=True)),
        dict(zip(losses, numbers[len(losses) :], strict=True)),
    )


def balance(
    balancing: Balancing | None,
    losses: TensorDict,
    labelled: TensorDict,
    find_present: bool = False,
) -> tuple[TensorDict, Tensor, TensorDict]:
    """Weights of the tasks' losses.

    Args:
        balancing: What finds them, or None for 1.
        losses: Dict of scalars by task.
        labelled: Dict of weights by task, `(batch,)`.
        find_present: Whether to say which tasks are present, also without a
            balancing.

    Returns:
        Dict of weights by task; a further term of the objective; dict by task
        of whether the whole batch has a label with an annotated pixel, empty if
        nobody asked.
    """
    equal = dict.fromkeys(losses, 1.0)
    if balancing is None and not find_present:
        return equal, 0.0, {}
    whole, label_rates = global_means(losses, labelled)
    present = {
        name: ops.logical_and(label_rates[name] > 0, whole[name] != 0)
        for name in losses
    }
    if balancing is None:
        return equal, 0.0, present
    return *balancing(whole, label_rates), present


def add(
    losses: TensorDict,
    auxiliary: Mapping[str, TensorDict],
    weights: Mapping[str, float],
) -> TensorDict:
    """Losses of the tasks with those of their auxiliary predictions.

    Args:
        losses: Of the heads, by task.
        auxiliary: Of auxiliary predictions, by their name, then by task.
        weights: By the names of auxiliary predictions.
    """
    return {
        task: loss
        + weighted_sum({k: v[task] for k, v in auxiliary.items()}, weights)
        for task, loss in losses.items()
    }


def weighted_sum(terms: TensorDict, weights: Mapping[str, float]) -> Tensor:
    """Sum of the terms, each times the weight of its name; 0 of none."""
    return sum((weights[name] * v for name, v in terms.items()), start=0.0)


def named(
    losses: TensorDict, auxiliary: Mapping[str, TensorDict]
) -> TensorDict:
    """Losses by the names that logs have, those of the heads first.

    Args:
        losses: Of the heads, by task.
        auxiliary: Of auxiliary predictions, likewise, by their name.
    """
    found = {f"{task}_loss": loss for task, loss in losses.items()}
    for name, by_task in auxiliary.items():
        found |= {f"{task}_{name}_loss": v for task, v in by_task.items()}
    return found


def means(names: Sequence[str]) -> Means:
    """A running mean of each name; ValueError if two names are the same."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            "Losses of tasks, of their auxiliary predictions and terms of the "
            f"regularization must have distinct names; got {twice} more than "
            "once. Give a task or a term another name."
        )
    return {name: keras.metrics.Mean(name=name) for name in names}


def track(
    trackers: Means, values: Mapping[str, Tensor], images: Tensor
) -> TensorDict:
    """Adds means over so many images to those of all; returns the latter."""
    for name, value in values.items():
        trackers[name].update_state(value, sample_weight=images)
    return {name: tracker.result() for name, tracker in trackers.items()}
