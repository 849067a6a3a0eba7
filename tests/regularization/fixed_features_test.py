import numpy as np
import tensorflow as tf

from jtr_keras.regularization.fixed_features import FixedFeatures
from tests.testing import TestCase


class FixedFeaturesTest(TestCase):
    def test_the_right_shape_passes_unchanged(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        layer = FixedFeatures(5)
        self.assertAllClose(layer(inputs, size=(3, 4)), inputs)
        self.assertEqual(layer.weights, [])

    def test_size_changes_by_means(self):
        inputs = tf.constant([1.0, 3.0, 5.0, 7.0], shape=(1, 2, 2, 1))
        self.assertAllClose(FixedFeatures(1)(inputs, size=(1, 1)), [[[[4.0]]]])

    def test_projection_is_orthogonal_cut_and_never_trained(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        layer = FixedFeatures(8)
        found = layer(inputs, size=(3, 4))
        kernel = layer.projection.kernel[0, 0].numpy()
        self.assertAllClose(kernel @ kernel.T, np.eye(5), atol=1e-5)
        self.assertAllClose(found, np.maximum(inputs @ kernel, 0), atol=1e-5)
        self.assertEqual(layer.trainable_variables, [])

    def test_no_gradient(self):
        inputs = tf.ones((1, 2, 2, 3))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(FixedFeatures(3)(inputs, size=(2, 2)))
        self.assertIsNone(tape.gradient(total, inputs))

    def test_half_precision_becomes_full(self):
        layer = FixedFeatures(4)
        found = layer(tf.ones((1, 2, 2, 3), "bfloat16"), size=(1, 1))
        self.assertDType(found, "float32")

    def test_config(self):
        self.run_class_serialization_test(FixedFeatures(7))
