import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.layers import IndexedPooling, IndexedUnpooling
from tests.testing import TestCase


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
