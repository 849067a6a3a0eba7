import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.regularization.fixed_features import FixedFeatures
from tests.testing import TestCase


class FixedFeaturesTest(TestCase):
    def test_the_right_shape_passes_unchanged(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        layer = FixedFeatures(5)
        self.assertAllClose(layer(inputs, image_size=(3, 4), stride=1), inputs)
        self.assertEqual(layer.weights, [])

    def test_size_changes_by_means(self):
        inputs = tf.constant([1.0, 3.0, 5.0, 7.0], shape=(1, 2, 2, 1))
        found = FixedFeatures(1)(inputs, image_size=(2, 2), stride=2)
        self.assertAllClose(found, [[[[4.0]]]])

    @parameterized.parameters(
        # Sizes of image, features and cells; means of 0, 1, ... by hand.
        (24, 8, 4, [0, 1, 2, 3, 4, 5]),  # Features of 32 pixels.
        (22, 32, 4, [1.5, 5.5, 9.5, 13.5, 17.5, 21.5]),  # Of 32, cells of 24.
        (26, 4, 4, [0, 0, 1, 1, 2, 2, 3]),  # Of 32, coarser than the cells.
        (24, 6, 16, [1.5, 2.25]),  # Of 24, cells of 32: two zeros.
        (24, 6, 8, [0.5, 2.5, 4.5]),  # Of 24, as the cells.
    )
    def test_cells_are_those_of_the_image(self, image, size, stride, expected):
        options = {"image_size": (image, image), "stride": stride}
        inputs = np.zeros((1, size, size, 2), "float32")
        inputs[..., 0] = np.arange(size)[:, None]
        inputs[..., 1] = np.arange(size)
        found = FixedFeatures(2)(inputs, **options)
        self.assertEqual(found.shape, (1, len(expected), len(expected), 2))
        self.assertAllClose(found[0, :, 0, 0], expected)
        self.assertAllClose(found[0, 0, :, 1], expected)

    def test_projection_is_orthogonal_cut_and_never_trained(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        layer = FixedFeatures(8)
        found = layer(inputs, image_size=(3, 4), stride=1)
        kernel = layer.projection.kernel[0, 0].numpy()
        self.assertAllClose(kernel @ kernel.T, np.eye(5), atol=1e-5)
        self.assertAllClose(found, np.maximum(inputs @ kernel, 0), atol=1e-5)
        self.assertEqual(layer.trainable_variables, [])

    def test_no_gradient(self):
        inputs = tf.ones((1, 2, 2, 3))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(
                FixedFeatures(3)(inputs, image_size=(2, 2), stride=1)
            )
        self.assertIsNone(tape.gradient(total, inputs))

    def test_half_precision_becomes_full(self):
        layer = FixedFeatures(4)
        found = layer(
            tf.ones((1, 2, 2, 3), "bfloat16"), image_size=(2, 2), stride=2
        )
        self.assertDType(found, "float32")

    def test_config(self):
        self.run_class_serialization_test(FixedFeatures(7))
