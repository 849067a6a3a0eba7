import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import cosine_distance, unit_vectors
from tests.testing import TestCase


class UnitVectorsTest(TestCase):
    def test_values(self):
        vectors = [[3.0, 4.0], [0.0, 0.0], [0.0, -1e-6], [1e15, 0.0]]
        self.assertAllClose(
            unit_vectors(tf.constant(vectors)),
            [[0.6, 0.8], [0.0, 0.0], [0.0, -1.0], [1.0, 0.0]],
        )

    def test_gradient(self):
        # (identity - n n') / length, and 0 where there is no direction.
        vectors = tf.constant([[3.0, 4.0], [0.0, 0.0]])
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            outputs = unit_vectors(vectors)[..., 0]
        self.assertAllClose(
            tape.gradient(outputs, vectors),
            [[0.64 / 5.0, -0.48 / 5.0], [0.0, 0.0]],
        )


class CosineDistanceTest(TestCase):
    @parameterized.parameters(
        ([1.0, 0.0], [5.0, 0.0], 0.0),
        ([1.0, 0.0], [0.0, 2.0], 1.0),
        ([1.0, 2.0], [-2.0, -4.0], 2.0),
        ([1.0, 0.0], [1.0, 1.0], 1.0 - np.sqrt(0.5)),
        ([1.0, 0.0], [0.0, 0.0], 1.0),  # No direction.
    )
    def test_values(self, first, second, expected):
        self.assertAllClose(
            cosine_distance(position(first), position(second)), [expected]
        )

    def test_mean_over_positions_of_each_image(self):
        rng = np.random.default_rng(0)
        first, second = rng.normal(size=(2, 3, 4, 5, 6)).astype("float32")
        cosine = np.sum(first * second, axis=-1) / (
            np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
        )
        self.assertAllClose(
            cosine_distance(first, second),
            1.0 - cosine.mean(axis=(1, 2)),
            rtol=1e-5,
        )

    def test_all_zero_maps_send_no_gradient(self):
        first, second = position([0.0, 0.0]), position([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch([first, second])
            distance = cosine_distance(first, second)
        for gradient in tape.gradient(distance, [first, second]):
            self.assertAllEqual(gradient, np.zeros((1, 1, 1, 2)))

    @parameterized.parameters("float16", "bfloat16")
    def test_half_precision_is_computed_in_float32(self, dtype):
        # Squares of 300 overflow float16.
        first = tf.cast(position([300.0, 300.0]), dtype)
        distance = cosine_distance(first, -first)
        self.assertDType(distance, "float32")
        self.assertAllClose(distance, [2.0])


def position(vector):
    return tf.reshape(tf.constant(vector), (1, 1, 1, -1))
