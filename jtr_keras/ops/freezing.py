"""Gradient control."""

import keras
from keras import ops

from jtr_keras.types import Tensor


def call_frozen(
    layer: keras.layers.Layer, inputs: Tensor, training: bool | None = None
) -> Tensor:
    """Calls `layer` so that gradients reach `inputs` but not its weights.

    State such as batch-normalisation averages is read and never updated.

    Args:
        layer: A built layer.
        inputs: Its input.
        training: Passed on to the layer.

    Returns:
        The layer's output.

    Example:

    >>> dense = keras.layers.Dense(1, kernel_initializer="ones")
    >>> dense.build((None, 2))
    >>> inputs = tf.ones((1, 2))
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(inputs)
    ...     outputs = jtr_keras.ops.call_frozen(dense, inputs)
    >>> gradients = tape.gradient(outputs, [inputs, dense.kernel.value])
    >>> gradients[0].numpy().tolist(), gradients[1]
    ([[1.0, 1.0]], None)
    """
    outputs, _ = layer.stateless_call(
        [ops.stop_gradient(v.value) for v in layer.trainable_variables],
        [v.value for v in layer.non_trainable_variables],
        inputs,
        training=training,
    )
    return outputs
