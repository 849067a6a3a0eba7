import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.layers import (
    IndexedPooling,
    IndexedUnpooling,
    SegNetDecoder,
    SegNetEncoder,
)
from tests.testing import TestCase

LEVELS = {"widths": (4, 8, 16), "num_convs": (1, 2, 1)}


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


class IndexedUnpoolingTest(TestCase):
    @parameterized.parameters(False, True)
    def test_equals_a_scatter_to_the_argmax(self, jit_compile):
        rng = np.random.default_rng(0)
        inputs = tf.constant(rng.normal(size=(2, 6, 8, 3)), "float32")
        values = rng.normal(size=(2, 3, 4, 3)).astype("float32")

        @tf.function(jit_compile=jit_compile)
        def unpool(inputs, values):
            _, mask = IndexedPooling()(inputs)
            return IndexedUnpooling()(values, mask)

        _, indices = tf.nn.max_pool_with_argmax(
            inputs, 2, 2, "VALID", include_batch_in_index=True
        )
        expected = np.zeros(2 * 6 * 8 * 3, "float32")
        expected[np.ravel(indices)] = np.ravel(values)
        self.assertAllEqual(
            unpool(inputs, values), expected.reshape(inputs.shape)
        )

    def test_keeps_the_maxima_and_clears_the_rest(self):
        inputs = tf.constant([1.0, 4.0, 3.0, 4.0], shape=(1, 2, 2, 1))
        outputs = IndexedUnpooling()(*IndexedPooling()(inputs))
        self.assertAllEqual(outputs[0, :, :, 0], [[0.0, 4.0], [0.0, 0.0]])

    @parameterized.parameters((6, 8), (None, 8), (6, None))
    def test_shape_undoes_that_of_pooling(self, height, width):
        shape = (None, height, width, 3)
        shapes = IndexedPooling().compute_output_shape(shape)
        self.assertEqual(
            IndexedUnpooling().compute_output_shape(*shapes), shape
        )


class SegNetEncoderTest(TestCase):
    def test_shapes(self):
        encoder = SegNetEncoder(widths=(4, 8), num_convs=(2, 1))
        features, masks = encoder(np.ones((2, 8, 12, 3)))
        expected = ((2, 2, 3, 8), [(2, 4, 2, 6, 2, 4), (2, 2, 2, 3, 2, 8)])
        self.assertEqual(features.shape, expected[0])
        self.assertEqual([mask.shape for mask in masks], expected[1])
        self.assertEqual(encoder.compute_output_shape((2, 8, 12, 3)), expected)

    def test_levels_are_convolutions_then_pooling(self):
        encoder = SegNetEncoder((4, 8), (2, 1), normalization="instance")
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        features, _ = encoder(images)
        first, second, third = encoder.blocks
        pool = keras.layers.MaxPooling2D()
        expected = pool(third(pool(second(first(images)))))
        self.assertAllClose(features, expected, atol=1e-5)
        self.assertEqual([b.filters for b in encoder.blocks], [4, 4, 8])
        self.assertEqual(first.normalization, "instance")

    @parameterized.parameters(
        ((), ()), ((4, 8), (1,)), ((4,), (1, 1)), ((4, 8), (1, 0))
    )
    def test_errors(self, widths, num_convs):
        with self.assertRaisesRegex(ValueError, "one positive number a level"):
            SegNetEncoder(widths, num_convs)


class SegNetDecoderTest(TestCase):
    def test_widths_mirror_the_encoder(self):
        # The blocks of a level narrow to the width of the level above.
        decoder = SegNetDecoder(**LEVELS)
        self.assertEqual([b.filters for b in decoder.blocks], [8, 4, 4, 4])

    def test_shapes(self):
        shape = (2, 16, 24, 3)
        encoder, decoder = SegNetEncoder(**LEVELS), SegNetDecoder(**LEVELS)
        outputs = decoder(*encoder(np.ones(shape)))
        self.assertEqual(outputs.shape, (2, 16, 24, 4))
        for size in ((16, 24), (None, 24), (16, None)):
            shapes = encoder.compute_output_shape((None, *size, 3))
            self.assertEqual(
                decoder.compute_output_shape(*shapes), (None, *size, 4)
            )

    def test_levels_are_unpooling_then_convolutions(self):
        settings = LEVELS | {"normalization": "instance"}
        encoder, decoder = SegNetEncoder(**settings), SegNetDecoder(**settings)
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        features, masks = encoder(images)
        outputs = decoder(features, masks)
        first, second, third, fourth = decoder.blocks
        unpool = IndexedUnpooling()
        expected = first(unpool(features, masks[2]))
        expected = third(second(unpool(expected, masks[1])))
        expected = fourth(unpool(expected, masks[0]))
        self.assertAllClose(outputs, expected, atol=1e-5)
        self.assertEqual(first.normalization, "instance")


def random_maps(ties):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 6, 8, 3))
    # Few values, as after a ReLU: most windows have equal maxima.
    return tf.constant(np.round(values) if ties else values, "float32")
