import keras
import numpy as np
import tensorflow as tf

from jtr_keras.layers import FiLM
from tests.testing import TestCase


class FiLMTest(TestCase):
    def test_values(self):
        film = FiLM(num_conditions=2)
        film.build((None, 1, 1, 2))
        film.gamma.assign([[2.0, 3.0], [5.0, 7.0]])
        film.beta.assign([[10.0, 20.0], [30.0, 40.0]])
        inputs = np.ones((3, 1, 1, 2), "float32")
        condition = np.float32([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
        outputs = film(inputs, condition)[:, 0, 0]
        expected = [[35.0, 47.0], [12.0, 23.0], [23.5, 35.0]]
        self.assertAllClose(outputs, expected)

    def test_begins_as_the_identity(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        outputs = FiLM(3, learning_rate=7.0)(inputs, np.eye(3)[:2])
        self.assertAllClose(outputs, inputs)

    def test_learning_rate_is_a_multiple_of_the_optimizers(self):
        inputs = tf.constant(
            np.random.default_rng(0).normal(size=(1, 2, 2, 3)), "float32"
        )
        condition = tf.constant([[1.0, 0.0]])

        def trained(optimizer_rate, film_rate):
            film = FiLM(2, learning_rate=film_rate)
            film.build(inputs.shape)
            optimizer = keras.optimizers.Adam(optimizer_rate, epsilon=1e-12)
            for _ in range(3):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum((film(inputs, condition) - 0.5) ** 2)
                weights = film.trainable_variables
                optimizer.apply(tape.gradient(loss, weights), weights)
            return film(inputs, condition)

        expected = trained(0.1, 1.0)
        self.assertGreater(np.abs(expected - inputs).min(), 0.01)
        self.assertAllClose(trained(0.01, 10.0), expected, atol=1e-4)
