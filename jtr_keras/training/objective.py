"""The terms of what is minimised."""

from collections.abc import Sequence

from keras import ops

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
            *(fold_views(y[name][:, :num_views]) for y in (y_true, y_pred))
        )
        weight = ops.repeat(ops.cast(labelled[name], loss.dtype), num_views)
        losses[f"{name}_loss"] = ops.mean(weight * loss)
    return losses


def total_loss(
    losses: dict[str, Tensor], regularization: TaskRegularization | None
) -> Tensor:
    """Weighted sum of the terms; supervised ones have weight 1."""
    weights = regularization.loss_weights if regularization else {}
    total: Tensor = 0.0
    for name, loss in losses.items():
        total += weights.get(name, 1.0) * loss
    return total
