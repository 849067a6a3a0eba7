import keras
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import full_precision, loss_dtype
from tests.testing import TestCase


class PrecisionTest(TestCase):
    @parameterized.parameters(
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
    )
    def test_half_is_raised_and_double_kept(self, dtype, expected):
        result = full_precision(tf.constant([1.5, -2.0], dtype))
        self.assertDType(result, expected)
        self.assertAllEqual(result, [1.5, -2.0])

    @parameterized.parameters(
        ("float16", "float32"), ("float32", "float32"), ("float64", "float64")
    )
    def test_loss_dtype_follows_the_default_float(self, floatx, expected):
        before = keras.config.floatx()
        self.addCleanup(keras.config.set_floatx, before)
        keras.config.set_floatx(floatx)
        self.assertEqual(loss_dtype(), expected)
