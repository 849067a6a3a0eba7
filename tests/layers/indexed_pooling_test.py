import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.layers import IndexedPooling
from tests.testing import TestCase


class IndexedPoolingTest(TestCase):
    @parameterized.product(ties=(False, True), jit_compile=(False, True))
    def test_equals_max_pool_with_argmax(self, ties, jit_compile):
        inputs = random_maps(ties)
        layer = tf.function(IndexedPooling(), jit_compile=jit_compile)
        pooled, mask = layer(inputs)
        expected, indices = tf.nn.max_pool_with_argmax(
            inputs, 2, 2, "VALID", include_batch_in_index=True
        )
        self.assertAllEqual(pooled, expected)
        self.assertAllEqual(np.flatnonzero(mask), np.sort(np.ravel(indices)))
        self.assertAllEqual(np.sum(mask, axis=(2, 4)), np.ones(pooled.shape))

    @parameterized.parameters(
        ([4, 4, 4, 4], [1, 0, 0, 0]),
        ([1, 4, 4, 4], [0, 1, 0, 0]),
        ([1, 0, 4, 4], [0, 0, 1, 0]),
        ([-3, -2, -2, -1], [0, 0, 0, 1]),
        ([4, 1, 4, 1], [1, 0, 0, 0]),
    )
    def test_the_first_of_equal_maxima_has_the_whole_gradient(
        self, values, expected
    ):
        inputs = tf.constant(values, "float32", (1, 2, 2, 1))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            pooled, mask = IndexedPooling()(inputs)
            total = pooled + 100.0 * tf.reduce_sum(mask)
        self.assertAllEqual(np.ravel(pooled), [max(values)])
        self.assertAllEqual(np.ravel(mask), expected)
        self.assertAllEqual(np.ravel(tape.gradient(total, inputs)), expected)

    def test_sizes_unknown_while_tracing(self):
        layer = IndexedPooling()
        traced = tf.function(
            layer, input_signature=[tf.TensorSpec((None, None, None, 3))]
        )
        inputs = random_maps(ties=False)
        for actual, expected in zip(traced(inputs), layer(inputs), strict=True):
            self.assertAllEqual(actual, expected)

    def test_output_shapes(self):
        layer = IndexedPooling()
        for shape in ((2, 6, 8, 3), (None, None, 8, 3)):
            pooled, mask = layer.compute_output_shape(shape)
            height = shape[1] and 3
            self.assertEqual(pooled, (shape[0], height, 4, 3))
            self.assertEqual(mask, (shape[0], height, 2, 4, 2, 3))
        pooled, mask = layer(np.ones((2, 6, 8, 3)))
        self.assertEqual(pooled.shape, (2, 3, 4, 3))
        self.assertEqual(mask.shape, (2, 3, 2, 4, 2, 3))


def random_maps(ties):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 6, 8, 3))
    # Few values, as after a ReLU: most windows have equal maxima.
    return tf.constant(np.round(values) if ties else values, "float32")
