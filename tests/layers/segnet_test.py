import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.layers import SegNetEncoder
from tests.testing import TestCase


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
