"""Weights that share a total."""

from keras import ops

from jtr_keras.types import Tensor


def softmax_weights(scores: Tensor, label_rates: Tensor) -> Tensor:
    """Softmax over the present tasks, times their number.

    Their mean is 1, as with equal weights: the regularization's terms, and the
    learning rate, keep their meaning.

    Args:
        scores: `(tasks,)`.
        label_rates: `(tasks,)`, 0 for absent tasks.

    Returns:
        Tensor of shape `(tasks,)`, 0 for absent tasks.
    """
    present = label_rates > 0
    scores = ops.where(present, scores, -1e9)
    return ops.softmax(scores) * ops.sum(ops.cast(present, scores.dtype))
