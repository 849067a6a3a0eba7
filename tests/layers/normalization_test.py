import numpy as np

from jtr_keras.layers.normalization import make_normalization
from tests.testing import TestCase

INPUTS = np.random.default_rng(0).normal(3.0, 2.0, (2, 4, 5, 3))


class NormalizationTest(TestCase):
    def test_batch_takes_statistics_over_the_batch(self):
        outputs = make_normalization("batch")(INPUTS, training=True)
        variance = INPUTS.var(axis=(0, 1, 2)) + 1e-5
        expected = (INPUTS - INPUTS.mean(axis=(0, 1, 2))) / np.sqrt(variance)
        self.assertAllClose(outputs, expected, atol=1e-5)

    def test_instance_takes_them_over_each_image(self):
        outputs = make_normalization("instance")(INPUTS)
        mean = INPUTS.mean(axis=(1, 2), keepdims=True)
        variance = INPUTS.var(axis=(1, 2), keepdims=True) + 1e-5
        expected = (INPUTS - mean) / np.sqrt(variance)
        self.assertAllClose(outputs, expected, atol=1e-5)

    def test_epsilon_and_momentum_are_pytorchs(self):
        # Keras's 1e-3 would show only in maps of tiny variance.
        tiny = 1e-3 * INPUTS
        outputs = make_normalization("batch")(tiny, training=True)
        variance = tiny.var(axis=(0, 1, 2))
        self.assertAllClose(
            np.var(outputs, axis=(0, 1, 2)),
            variance / (variance + 1e-5),
            rtol=1e-3,
        )
        self.assertEqual(make_normalization("batch").momentum, 0.9)

    def test_arguments_are_passed_on(self):
        for name in ("batch", "instance"):
            layer = make_normalization(name, dtype="mixed_float16")
            self.assertEqual(layer.compute_dtype, "float16")
