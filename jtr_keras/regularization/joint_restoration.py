"""How well the joint autoencoder restores its two stacks."""

from keras import ops

from jtr_keras.ops.masking import masked_mean, masked_sum
from jtr_keras.regularization.joint_stacks import JointView
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


def restoration_error(
    view: JointView,
    predictions: TensorDict,
    decoded_targets: TensorDict,
    decoded_predictions: TensorDict,
) -> Tensor:
    """Sum over tasks of the errors of both stacks.

    Args:
        view: The view whose stacks were restored.
        predictions: Codes of the predictions as they entered their stack.
        decoded_targets: Raw outputs for the stack of targets, by task.
        decoded_predictions: Raw outputs for the stack of predictions.

    Returns:
        Tensor of shape `(batch,)`.
    """
    targets = view.target_codes(view.redraw(predictions, draw=3))
    redrawn = view.redraw(predictions, draw=4)
    error: Tensor = 0.0
    for task in view.tasks:
        name = task.name
        target, decoded = targets[name], decoded_targets[name]
        raw = target if task.sampled else _raw_targets(view, task)
        error += _error(view, task, target, decoded, raw)
        target, decoded = redrawn[name], decoded_predictions[name]
        raw = target
        if view.semantics.encode_twice and not task.sampled:
            target = task.encode(target)
        error += _error(view, task, target, decoded, raw)
    return error


def _error(
    view: JointView, task: Task, target: Tensor, decoded: Tensor, raw: Tensor
) -> Tensor:
    error = task.reconstruction_error(ops.stop_gradient(target), decoded)
    if not view.semantics.count_nonzeros:
        return masked_mean(error, view.mask)
    count = ops.cast(ops.count_nonzero(raw, axis=(1, 2, 3)), error.dtype)
    offset = task.similarity_offset
    return offset + masked_sum(error - offset, view.mask) / ops.maximum(
        count, ops.ones_like(count)
    )


def _raw_targets(view: JointView, task: Task) -> Tensor:
    """Labels, or predictions where there is none, as they are."""
    labels = task.clean(view.y_true[task.name])
    return ops.where(view.labelled[task.name], labels, view.y_pred[task.name])
