import keras
import numpy as np

from jtr_keras.export.full_precision import in_full_precision
from tests import toy
from tests.testing import TestCase


class FullPrecisionTest(TestCase):
    def test_same_network_in_float32(self):
        keras.config.set_dtype_policy("mixed_float16")
        try:
            mixed = toy.make_model().predictor
        finally:
            keras.config.set_dtype_policy("float32")
        full = in_full_precision(mixed)
        for layer in full._flatten_layers():
            self.assertEqual(layer.compute_dtype, "float32")
        exact = toy.make_model().predictor  # Of the same seed.
        images = np.random.default_rng(0).uniform(size=(2, 9, 12, 3))
        expected = exact(images, training=False)
        rough = mixed(images, training=False)
        for name, value in full(images, training=False).items():
            self.assertAllClose(value, expected[name], atol=1e-5)
            self.assertNotAllClose(value, rough[name], atol=1e-7)
        self.assertEqual(mixed.compute_dtype, "float16")

    def test_nothing_is_copied_without_need(self):
        predictor = toy.make_model().predictor
        self.assertIs(in_full_precision(predictor), predictor)
