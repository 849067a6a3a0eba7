import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.tasks import Quantization
from tests.testing import TestCase


class QuantizationTest(TestCase):
    @parameterized.parameters(
        (2.0004, 2000), (0.0016, 2), (0.0004, 0), (-1.0, 0), (70.0, 65535)
    )
    def test_values_become_the_nearest_integers(self, value, expected):
        millimetres = Quantization("uint16", scale=0.001)
        integer = millimetres.quantize(tf.constant(value))
        self.assertEqual(integer.dtype, "uint16")
        self.assertEqual(int(integer), expected)

    def test_the_integer_0_is_the_offset(self):
        tens = Quantization("uint8", scale=10.0, offset=-40.0)
        values = np.array([-40.0, -30.0, 2510.0])
        integers = tens.quantize(values)
        self.assertAllEqual(integers, [0, 1, 255])
        found = tens.dequantize(integers)
        self.assertEqual(found.dtype, np.float32)
        self.assertAllEqual(found, values)

    @parameterized.parameters(
        Quantization("uint8"),
        Quantization("uint8", 1.0 / 127.5, -1.0),
        Quantization("uint16", 0.001),
        Quantization("uint16", 8.0 * 1.5876 / 65535.0, -4.0),
    )
    def test_every_integer_comes_back(self, quantization):
        integers = np.arange(np.iinfo(quantization.dtype).max + 1)
        values = quantization.dequantize(integers)
        self.assertAllEqual(quantization.quantize(values), integers)

    def test_half_precision_is_no_less_precise(self):
        # 2001 is no float16, 2000 is.
        integers = Quantization("uint16").quantize(
            tf.constant([2000.0], "float16")
        )
        self.assertAllEqual(integers, [2000])

    def test_config(self):
        quantization = Quantization("uint8", 0.5, -1.0)
        self.run_class_serialization_test(quantization)
        self.assertEqual(
            Quantization.from_config(quantization.get_config()), quantization
        )
        self.assertEqual(
            repr(quantization),
            "Quantization(dtype='uint8', scale=0.5, offset=-1.0)",
        )
