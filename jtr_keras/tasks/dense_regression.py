"""Any continuous map of known range."""

import keras
from keras import ops

from jtr_keras.tasks.codec import UnitInterval
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class DenseRegression(Task):
    """Edges, reshading, keypoints, curvature: values in a range, L1 loss.

    A pixel is annotated where every channel is finite; void is NaN.
    Predictions are squashed into the range by a sigmoid. In the joint space a
    value becomes its place in the range, in `[0, 1]`.

    Args:
        name: str. Name of the task.
        channels: int. Number of channels. Defaults to 1.
        minimum: float. Smallest value. Defaults to 0.
        maximum: float. Largest value. Defaults to 1.

    Raises:
        ValueError: If `channels` is not positive or the range is empty.

    Example:

    >>> edges = jtr_keras.tasks.DenseRegression("edge_texture")
    >>> edges.loss(keras.ops.ones((1, 4, 4, 1)), keras.ops.zeros((1, 4, 4, 1)))
    <tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.], dtype=float32)>

    Reference:
        - Ours, in the manner of
          [Zamir et al., 2018](https://arxiv.org/abs/1804.08328)
    """

    unit = "unit of the training data"

    def __init__(
        self,
        name: str,
        channels: int = 1,
        minimum: float = 0.0,
        maximum: float = 1.0,
    ) -> None:
        self.interval = UnitInterval(minimum, maximum, channels)
        super().__init__(name, self.interval)
        self.minimum = minimum
        self.maximum = maximum
        self.default_baseline = (maximum - minimum) / 4

    def activate(self, logits: Tensor) -> Tensor:
        return self.interval.squash(logits)

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        return ops.mean(ops.abs(targets - predictions), axis=-1, keepdims=True)
