"""How well the joint autoencoder reconstructs its two stacks."""

from functools import singledispatch

from keras import ops

from jtr_keras.ops.masking import masked_mean, masked_sum
from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.regularization.joint_task.stacks import JointView
from jtr_keras.tasks.codec import (
    Categorical,
    Codec,
    NormalQuantile,
    UnitVector,
)
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


def reconstruction_loss(
    view: JointView,
    predictions: TensorDict,
    decoded_targets: TensorDict,
    decoded_predictions: TensorDict,
) -> Tensor:
    """Sum over tasks of the errors of both stacks.

    Args:
        view: The view whose stacks were reconstructed.
        predictions: Codes of the predictions as they entered their stack.
        decoded_targets: Raw outputs for the stack of targets, by task.
        decoded_predictions: Raw outputs for the stack of predictions.

    Returns:
        Tensor of shape `(batch,)`.
    """
    targets = view.target_codes(view.sample_again(predictions, sample=3))
    sampled = view.sample_again(predictions, sample=4)
    loss: Tensor = 0.0
    for task in view.tasks:
        codec, name = task.codec, task.name
        target, decoded = targets[name], decoded_targets[name]
        raw = target if codec.sampled else _raw_targets(view, task)
        loss += _mean_error(view, codec, target, decoded, raw)
        target, decoded = sampled[name], decoded_predictions[name]
        raw = target
        if view.semantics.encode_twice and not codec.sampled:
            target = codec.encode(target)
        loss += _mean_error(view, codec, target, decoded, raw)
    return loss


@singledispatch
def reconstruction_error(
    codec: Codec, encoded: Tensor, decoded: Tensor
) -> Tensor:
    """Error of each pixel of the autoencoder's output.

    Args:
        codec: Whose codes they are.
        encoded: Codes, `(batch, height, width, channels)`.
        decoded: Raw outputs (logits) of the same shape.

    Returns:
        Tensor of shape `(batch, height, width, 1)`.
    """
    difference = ops.abs(encoded - ops.sigmoid(decoded))
    return ops.mean(difference, axis=-1, keepdims=True)


@reconstruction_error.register
def _(codec: NormalQuantile, encoded: Tensor, decoded: Tensor) -> Tensor:
    # Kept off 0 and 1, where the normal law's inverse is infinite.
    quantile = (ops.sigmoid(decoded) - 0.5) * (1.0 - 1e-5) + 0.5
    return ops.abs(encoded - quantile)


@reconstruction_error.register
def _(codec: Categorical, encoded: Tensor, decoded: Tensor) -> Tensor:
    entropy = ops.binary_crossentropy(encoded, decoded, from_logits=True)
    return ops.sum(entropy, axis=-1, keepdims=True)


@reconstruction_error.register
def _(codec: UnitVector, encoded: Tensor, decoded: Tensor) -> Tensor:
    cosine = (2.0 * encoded - 1.0) * unit_vectors(decoded)
    return similarity_offset(codec) - ops.sum(cosine, axis=-1, keepdims=True)


@singledispatch
def similarity_offset(codec: Codec) -> float:
    """`c` where the error is `c - similarity`, else 0."""
    return 0.0


@similarity_offset.register
def _(codec: UnitVector) -> float:
    return 1.0


def _mean_error(
    view: JointView, codec: Codec, target: Tensor, decoded: Tensor, raw: Tensor
) -> Tensor:
    error = reconstruction_error(codec, ops.stop_gradient(target), decoded)
    if not view.semantics.count_nonzeros:
        return masked_mean(error, view.mask)
    count = ops.cast(ops.count_nonzero(raw, axis=(1, 2, 3)), error.dtype)
    offset = similarity_offset(codec)
    return offset + masked_sum(error - offset, view.mask) / ops.maximum(
        count, ops.ones_like(count)
    )


def _raw_targets(view: JointView, task: Task) -> Tensor:
    """Labels, or predictions where there is none, as they are."""
    labels = task.zero_void(view.y_true[task.name])
    return ops.where(view.labelled[task.name], labels, view.y_pred[task.name])
