import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import image_mean, masked_mean, masked_sum
from tests.testing import TestCase

VALUES = np.array([[1.0, 3.0, 8.0], [5.0, 6.0, 7.0]], "float32")


class ImageMeanTest(TestCase):
    def test_values(self):
        self.assertAllClose(image_mean(tf.constant(VALUES)), VALUES.mean(0))

    def test_no_image(self):
        mean = tf.function(
            image_mean, input_signature=[tf.TensorSpec((None, 2))]
        )
        self.assertAllEqual(mean(tf.zeros((0, 2))), [0.0, 0.0])


class MaskingTest(TestCase):
    @parameterized.parameters(
        ([[1, 1, 1], [1, 0, 0]], [12.0, 5.0], [4.0, 5.0]),
        ([[1, 1, 0], [0, 0, 0]], [4.0, 0.0], [2.0, 0.0]),
        # Weights are weights, even where their sum is below 1.
        ([[0.25, 0.5, 0], [0, 0, 2]], [1.75, 14.0], [1.75 / 0.75, 7.0]),
    )
    def test_values(self, mask, sums, means):
        values = VALUES.reshape(2, 3, 1, 1)
        mask = np.array(mask, "float32").reshape(values.shape)
        self.assertAllClose(masked_sum(values, mask), sums)
        self.assertAllClose(masked_mean(values, mask), means)

    @parameterized.product(
        function=(masked_sum, masked_mean),
        rubbish=(np.nan, np.inf, -np.inf),
        jit_compile=(False, True),
    )
    def test_rubbish_under_the_mask_does_not_leak(
        self, function, rubbish, jit_compile
    ):
        mask = tf.constant([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
        values = tf.where(mask > 0, VALUES, rubbish)

        @tf.function(jit_compile=jit_compile)
        def value_and_gradient():
            with tf.GradientTape() as tape:
                tape.watch(values)
                result = function(values, mask)
            return result, tape.gradient(result, values)

        result, gradient = value_and_gradient()
        scale = 0.5 if function is masked_mean else 1.0
        self.assertAllClose(result, [9.0 * scale, 0.0])
        self.assertAllClose(gradient, mask * scale)
