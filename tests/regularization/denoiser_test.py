import numpy as np
import tensorflow as tf

from jtr_keras.regularization import Denoiser
from tests.testing import TestCase


class DenoiserTest(TestCase):
    def make(self, dtype="float32"):
        layer = Denoiser(widths=(4, 6, 5), dtype=dtype)
        layer.build((None, None, None, 5))
        return layer

    def test_begins_with_no_correction(self):
        rng = np.random.default_rng(0)
        stack = tf.constant(rng.normal(size=(2, 9, 12, 5)), "float32")
        for dtype in ("float32", "mixed_bfloat16"):
            denoised = self.make(dtype)(stack)
            self.assertDType(denoised, "float32")
            self.assertAllClose(denoised, stack, atol=0.02)

    def test_sees_places(self):
        layer = self.make()
        layer.correction.kernel.assign(tf.ones_like(layer.correction.kernel))
        denoised = layer(tf.zeros((2, 9, 12, 5)))[0, 2:-2, 2:-2, 0]
        self.assertGreater(np.std(denoised, axis=0).min(), 0.0)
        self.assertGreater(np.std(denoised, axis=1).min(), 0.0)

    def test_config(self):
        self.assertEqual(
            Denoiser.from_config(self.make().get_config()).widths, (4, 6, 5)
        )
