import numpy as np
import tensorflow as tf

from jtr_keras.regularization import Denoiser
from tests.testing import TestCase


class DenoiserTest(TestCase):
    def make(self, widths=(4, 6, 5), dtype="float32"):
        layer = Denoiser(widths, dtype=dtype)
        layer.build((None, None, None, 5))
        return layer

    def test_begins_with_no_correction(self):
        rng = np.random.default_rng(0)
        stack = tf.constant(rng.normal(size=(2, 9, 12, 5)), "float32")
        for dtype in ("float32", "mixed_bfloat16"):
            denoised = self.make(dtype=dtype)(stack)
            self.assertDType(denoised, "float32")
            self.assertAllEqual(denoised, stack)

    def test_correction_by_hand(self):
        layer = Denoiser((1,))
        layer.build((None, None, None, 1))
        first, last = layer.first, layer.correction.convs[-1]
        # Features are twice the stack, where that is positive.
        first.kernel.assign(np.reshape([2.0, 0.0, 0.0], (1, 1, 3, 1)))
        last.kernel.assign(np.ones((3, 3, 1, 1)))
        last.bias.assign([0.5])
        stack = np.float32([[1.0, 2.0], [-3.0, 4.0]])[None, ..., None]
        self.assertAllClose(layer(stack), stack + 0.5 + 2.0 * (1 + 2 + 4))

    def test_sees_places(self):
        layer = self.make()
        last = layer.correction.convs[-1]
        last.kernel.assign(tf.ones_like(last.kernel))
        denoised = layer(tf.zeros((2, 13, 14, 5)))[0, 4:-4, 4:-4, 0]
        self.assertGreater(np.std(denoised, axis=0).min(), 0.0)
        self.assertGreater(np.std(denoised, axis=1).min(), 0.0)

    def test_config(self):
        config = self.make(dtype="mixed_bfloat16").get_config()
        copy = Denoiser.from_config(config | {"name": "copy"})
        self.assertEqual(copy.widths, (4, 6, 5))
        self.assertEqual(copy.compute_dtype, "bfloat16")
        self.assertFalse(copy.autocast)
