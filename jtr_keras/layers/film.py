"""Feature-wise linear modulation."""

from typing import Any

import keras
from keras import ops

from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class FiLM(keras.layers.Layer):
    """Scales and shifts each channel as a condition says.

    Every condition has a scale and a shift of its own for each channel; they
    begin at 1 and 0.

    Args:
        num_conditions: Number of conditions.
        learning_rate: float. Learning rate of scales and shifts, as a multiple
            of the optimizer's, for optimizers to which the size of gradients
            does not matter, such as Adam: the weights count this many times.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        condition: Shares of the conditions, `(batch, num_conditions)`; one-hot
            to choose one.

    Returns:
        Tensor of the shape of `inputs`.

    Example:

    >>> film = jtr_keras.layers.FiLM(num_conditions=2)
    >>> film(tf.ones((1, 4, 4, 3)), tf.constant([[0.0, 1.0]])).shape
    TensorShape([1, 4, 4, 3])

    Reference:
        - [Perez et al., 2018](https://arxiv.org/abs/1709.07871)
    """

    def __init__(
        self, num_conditions: int, learning_rate: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_conditions = num_conditions
        self.learning_rate = learning_rate

    def build(
        self, inputs_shape: Shape, condition_shape: Shape | None = None
    ) -> None:
        shape = (self.num_conditions, inputs_shape[-1])
        self.gamma = self.add_weight(shape, "ones", name="gamma")
        self.beta = self.add_weight(shape, "zeros", name="beta")

    def call(self, inputs: Tensor, condition: Tensor) -> Tensor:
        # Not a gather: its gradient is dense, and plain for every optimizer.
        gamma = ops.matmul(condition, self.gamma - 1.0)[:, None, None, :]
        beta = ops.matmul(condition, self.beta)[:, None, None, :]
        return inputs + self.learning_rate * (gamma * inputs + beta)

    def compute_output_shape(
        self, inputs_shape: Shape, condition_shape: Shape | None = None
    ) -> Shape:
        return inputs_shape

    def get_config(self) -> Config:
        return super().get_config() | {
            "num_conditions": self.num_conditions,
            "learning_rate": self.learning_rate,
        }
