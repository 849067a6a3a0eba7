import numpy as np
import tensorflow as tf

from jtr_keras.regularization.dilated_convs import DilatedConvs
from tests.testing import TestCase


class DilatedConvsTest(TestCase):
    def test_reach(self):
        # One cell further each way by the first, two by the second, one by
        # the last.
        for last, reach in ({}, 4), ({"kernel_size": 1}, 3):
            layer = DilatedConvs((2, 2), 3, last=last)
            layer.build((None, None, None, 1))
            for conv in layer.convs:
                conv.kernel.assign(tf.ones_like(conv.kernel))
            impulse = np.zeros((1, 15, 15, 1), "float32")
            impulse[0, 7, 7] = 1.0
            seen = np.nonzero(layer(impulse)[0, :, 7, 0])[0]
            self.assertEqual((seen.min(), seen.max()), (7 - reach, 7 + reach))

    def test_only_dilated_convolutions_have_an_activation(self):
        for activation, expected in (("relu", 0.0), ("linear", -1.0)):
            layer = DilatedConvs((1,), 1, activation)
            layer.build((None, None, None, 1))
            for conv in layer.convs:
                conv.kernel.assign(tf.ones_like(conv.kernel))
            layer.convs[-1].bias.assign([-0.5])
            found = layer(-tf.ones((1, 1, 1, 1)))[0, 0, 0, 0]
            self.assertAllClose(found, expected - 0.5)

    def test_the_result_is_precise(self):
        layer = DilatedConvs((2,), 3, dtype="mixed_bfloat16")
        self.assertDType(layer(np.ones((1, 4, 4, 2))), "float32")

    def test_biases_can_be_left_out(self):
        for use_bias, weights in ((True, 4), (False, 2)):
            layer = DilatedConvs((2,), 3, use_bias=use_bias)
            layer.build((None, None, None, 1))
            self.assertLen(layer.weights, weights)
