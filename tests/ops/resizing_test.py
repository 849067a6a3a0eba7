import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import resample_area, resize_to, to_power_of_two
from tests.testing import TestCase


class ResizingTest(TestCase):
    def test_values_are_bilinear_with_centred_pixels(self):
        images = tf.constant([0.0, 4.0], shape=(1, 1, 2, 1))
        resized = resize_to(images, tf.zeros((1, 2, 4, 3)))
        self.assertAllClose(resized[0, :, :, 0], [[0.0, 1.0, 3.0, 4.0]] * 2)

    @parameterized.parameters("float16", "float32", "float64")
    def test_dtype_is_kept(self, dtype):
        images = tf.ones((1, 2, 2, 3), dtype)
        self.assertDType(resize_to(images, tf.ones((1, 3, 5, 1))), dtype)

    def test_sizes_unknown_while_tracing(self):
        resize = tf.function(
            resize_to,
            input_signature=[tf.TensorSpec((None, None, None, 2))] * 2,
        )
        rng = np.random.default_rng(0)
        images = tf.constant(rng.normal(size=(1, 3, 4, 2)), "float32")
        like = tf.zeros((1, 6, 7, 2))
        self.assertAllClose(resize(images, like), resize_to(images, like))
        self.assertAllClose(resize(images, images), images)

    def test_same_size_is_the_same_tensor(self):
        # No needless interpolation in the graph of every prediction.
        images = tf.ones((1, 3, 4, 2))
        self.assertIs(resize_to(images, tf.zeros((1, 3, 4, 1))), images)


class ResampleAreaTest(TestCase):
    def test_whole_factors_are_average_pooling(self):
        images = np.random.default_rng(0).normal(size=(2, 6, 8, 3))
        expected = tf.nn.avg_pool2d(images, (3, 2), (3, 2), "VALID")
        self.assertAllClose(
            resample_area(tf.constant(images), (2, 4)), expected
        )

    def test_other_sizes_share_pixels_among_areas(self):
        images = tf.constant([0.0, 3.0, 9.0], shape=(1, 1, 3, 1))
        smaller = resample_area(images, (1, 2))  # 1.5 pixels each.
        self.assertAllClose(smaller[0, 0, :, 0], [1.0, 7.0])
        larger = resample_area(images, (2, 6))
        self.assertAllClose(larger[0, :, :, 0], [[0, 0, 3, 3, 9, 9]] * 2)

    def test_jit_compiles_with_its_gradient(self):
        @tf.function(jit_compile=True)
        def gradient(images):
            with tf.GradientTape() as tape:
                tape.watch(images)
                total = tf.reduce_sum(resample_area(images, (2, 2)))
            return tape.gradient(total, images)

        found = gradient(tf.ones((1, 4, 6, 1)))
        self.assertAllClose(found, tf.fill((1, 4, 6, 1), 1 / 6))


class ToPowerOfTwoTest(TestCase):
    def test_cells_are_means_of_what_lay_under_them(self):
        features = np.random.default_rng(0).normal(size=(2, 2, 3, 5))
        pixels = features.repeat(14, axis=1).repeat(14, axis=2)
        found = to_power_of_two(tf.constant(features), (28, 42))
        self.assertEqual(found.shape, (2, 4, 6, 5))  # Of 8 pixels a side.
        whole = tf.nn.avg_pool2d(pixels[:, :24, :40], 8, 8, "VALID")
        self.assertAllClose(found[:, :3, :5], whole)
        self.assertAllClose(found[:, 3, 5], pixels[:, -1, -1])

    @parameterized.parameters(
        ((4, 6), (16, 24), (4, 6)),
        ((4, 3), (16, 24), (4, 6)),  # Coarser in width.
        ((8, 8), (320, 320), (10, 10)),  # Of 40 pixels.
        ((32, 32), (16, 16), (16, 16)),  # Finer than the image.
    )
    def test_sizes(self, cells, image_size, expected):
        found = to_power_of_two(tf.ones((1, *cells, 2)), image_size)
        self.assertAllClose(found, np.ones((1, *expected, 2)))

    def test_features_that_are_such_stay_the_same(self):
        features = tf.ones((1, 4, 6, 2))
        self.assertIs(to_power_of_two(features, (32, 48)), features)
