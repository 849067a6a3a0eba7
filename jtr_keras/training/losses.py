"""The named losses of a step, and their means over replicas."""

from collections.abc import Iterable, Mapping, Sequence

import keras
import tensorflow as tf
from keras import ops

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


def means(names: Iterable[str]) -> Means:
    """A running mean of each name."""
    return {name: keras.metrics.Mean(name=name) for name in names}


def track(
    trackers: Means, values: Mapping[str, Tensor], images: Tensor
) -> TensorDict:
    """Adds means over so many images to those of all; returns the latter."""
    for name, value in values.items():
        trackers[name].update_state(value, sample_weight=images)
    return {name: tracker.result() for name, tracker in trackers.items()}
