import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import resample_area, resize_to
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
