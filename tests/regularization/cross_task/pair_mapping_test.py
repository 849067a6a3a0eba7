import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.regularization import PairMapping
from jtr_keras.regularization.cross_task.pair_mapping import FrozenFeatures
from tests.testing import TestCase


class PairMappingTest(TestCase):
    def test_units_are_told_the_pair_before_the_activation(self):
        mapping = PairMapping((4, 8), (2, 1), num_pairs=2)
        rng = np.random.default_rng(0)
        inputs = rng.normal(size=(2, 8, 8, 3)).astype("float32")
        mapping.build((None, 8, 8, 3))
        for film in mapping.films:
            for weight in film.weights:
                weight.assign(rng.normal(size=weight.shape))
        found = mapping(inputs, np.eye(2, dtype="float32")[[1, 0]])
        for image, pair in ((0, 1), (1, 0)):
            features = inputs[image : image + 1]
            for index, block in enumerate(mapping.blocks):
                film = mapping.films[index]
                features = block(features)
                features = features * film.gamma[pair] + film.beta[pair]
                features = np.maximum(features, 0.0)
                if index > 0:
                    features = keras.layers.MaxPooling2D()(features)
            self.assertAllClose(found[image], features[0], atol=1e-5)

    def test_no_image_sees_another(self):
        mapping = PairMapping((4,), (1,), num_pairs=2)
        inputs = np.random.default_rng(0).normal(size=(2, 4, 4, 3))
        pair = np.eye(2)
        together = mapping(inputs, pair)
        self.assertAllClose(mapping(inputs[:1], pair[:1]), together[:1])

    def test_config(self):
        arguments = {
            "widths": (4, 6),
            "num_convs": (1, 2),
            "num_pairs": 3,
            "film_learning_rate": 5.0,
        }
        self.run_constructor_test(PairMapping, arguments)
        self.run_class_serialization_test(PairMapping(**arguments))
        films = PairMapping(**arguments).films
        self.assertEqual([film.learning_rate for film in films], [5.0] * 3)

    @parameterized.parameters(((), ()), ((4, 8), (1,)), ((4,), (0,)))
    def test_errors(self, widths, num_convs):
        with self.assertRaisesRegex(ValueError, "one positive number a level"):
            PairMapping(widths, num_convs, 2)


class FrozenFeaturesTest(TestCase):
    def test_the_right_shape_passes_unchanged(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        layer = FrozenFeatures(5)
        self.assertAllClose(layer(inputs, image_size=(3, 4), stride=1), inputs)
        self.assertEqual(layer.weights, [])

    def test_size_changes_by_means(self):
        inputs = tf.constant([1.0, 3.0, 5.0, 7.0], shape=(1, 2, 2, 1))
        found = FrozenFeatures(1)(inputs, image_size=(2, 2), stride=2)
        self.assertAllClose(found, [[[[4.0]]]])

    @parameterized.parameters(
        # Sizes of image, features and patches; means of 0, 1, ... by hand.
        (24, 8, 4, [0, 1, 2, 3, 4, 5]),  # Features of 32 pixels.
        (22, 32, 4, [1.5, 5.5, 9.5, 13.5, 17.5, 21.5]),  # Of 32, patches of 24.
        (26, 4, 4, [0, 0, 1, 1, 2, 2, 3]),  # Of 32, coarser than the patches.
        (24, 6, 16, [1.5, 2.25]),  # Of 24, patches of 32: two zeros.
        (24, 6, 8, [0.5, 2.5, 4.5]),  # Of 24, as the patches.
    )
    def test_patches_are_those_of_the_image(
        self, image, size, stride, expected
    ):
        options = {"image_size": (image, image), "stride": stride}
        inputs = np.zeros((1, size, size, 2), "float32")
        inputs[..., 0] = np.arange(size)[:, None]
        inputs[..., 1] = np.arange(size)
        found = FrozenFeatures(2)(inputs, **options)
        self.assertEqual(found.shape, (1, len(expected), len(expected), 2))
        self.assertAllClose(found[0, :, 0, 0], expected)
        self.assertAllClose(found[0, 0, :, 1], expected)

    def test_projection_is_orthogonal_cut_and_never_trained(self):
        inputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
        layer = FrozenFeatures(8)
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
                FrozenFeatures(3)(inputs, image_size=(2, 2), stride=1)
            )
        self.assertIsNone(tape.gradient(total, inputs))

    def test_half_precision_becomes_full(self):
        layer = FrozenFeatures(4)
        found = layer(
            tf.ones((1, 2, 2, 3), "bfloat16"), image_size=(2, 2), stride=2
        )
        self.assertDType(found, "float32")

    def test_config(self):
        self.run_class_serialization_test(FrozenFeatures(7))
