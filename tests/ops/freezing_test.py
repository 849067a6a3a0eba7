import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.layers import ConvBlock
from jtr_keras.ops import call_frozen
from tests.testing import TestCase


class CallFrozenTest(TestCase):
    @parameterized.parameters(True, False)
    def test_output_is_the_layers(self, training):
        layer, inputs = built()
        expected = layer(inputs, training=training)
        outputs = call_frozen(layer, inputs, training=training)
        self.assertAllClose(outputs, expected)

    def test_gradients_reach_inputs_but_no_weight(self):
        layer, inputs = built()
        weights = [v.value for v in layer.trainable_variables]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            thawed = tf.reduce_sum(layer(inputs, training=True) ** 3)
            frozen = tf.reduce_sum(
                call_frozen(layer, inputs, training=True) ** 3
            )
        expected = tape.gradient(thawed, inputs)
        self.assertGreater(np.abs(expected).max(), 0.0)
        self.assertAllClose(tape.gradient(frozen, inputs), expected)
        self.assertNotIn(None, tape.gradient(thawed, weights))
        self.assertAllEqual(
            [g is None for g in tape.gradient(frozen, weights)],
            [True] * len(weights),
        )

    def test_averages_are_not_updated(self):
        layer, inputs = built()
        before = layer.norm.moving_mean.numpy()
        call_frozen(layer, inputs, training=True)
        self.assertAllEqual(layer.norm.moving_mean.numpy(), before)
        layer(inputs, training=True)
        self.assertNotAllClose(layer.norm.moving_mean.numpy(), before)

    def test_thawed_again_after_the_call(self):
        # The same layer is trained on one path and frozen on the other.
        layer = keras.layers.Dense(1, kernel_initializer="ones")
        inputs = tf.constant([[1.0, 2.0]])
        layer.build(inputs.shape)
        with tf.GradientTape() as tape:
            total = call_frozen(layer, inputs) + layer(inputs)
        gradient = tape.gradient(total, layer.kernel.value)
        self.assertAllEqual(gradient, [[1.0], [2.0]])


def built():
    layer = ConvBlock(4, activation="tanh")
    rng = np.random.default_rng(0)
    inputs = tf.constant(rng.normal(1.0, 1.0, (2, 4, 4, 3)), "float32")
    layer.build(inputs.shape)
    return layer, inputs
