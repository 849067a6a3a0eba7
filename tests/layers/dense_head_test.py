import numpy as np
import pytest

from jtr_keras.layers import DenseHead
from tests.testing import TestCase


class DenseHeadTest(TestCase):
    # Keras's own check fits a generator with `shuffle` on.
    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
    def test_layer_basics(self):
        self.run_layer_test(
            DenseHead,
            init_kwargs={"filters": 5, "channels": 2},
            input_shape=(2, 8, 6, 3),
            expected_output_shape=(2, 8, 6, 2),
            expected_num_trainable_weights=4,
            expected_num_non_trainable_weights=0,
            # The output is float32 whatever the policy; see below.
            run_mixed_precision_check=False,
        )

    def test_is_linear(self):
        # Neither normalisation nor activation: f(2x) - f(0) = 2 (f(x) - f(0)).
        head = DenseHead(filters=5, channels=2)
        inputs = np.random.default_rng(0).normal(size=(1, 4, 5, 3))
        zero, one, two = (head(scale * inputs) for scale in (0.0, 1.0, 2.0))
        self.assertAllClose(two - zero, 2.0 * (one - zero), atol=1e-4)

    def test_starts_around_its_bias(self):
        head = DenseHead(filters=5, channels=2, initial_bias=2.5)
        outputs = head(np.zeros((1, 4, 5, 3)))
        self.assertAllEqual(outputs, np.full((1, 4, 5, 2), 2.5))

    def test_looks_at_3x3_pixels(self):
        head = DenseHead(filters=2, channels=1)
        inputs = np.zeros((1, 7, 7, 1))
        inputs[0, 3, 3] = 1.0
        outputs = head(inputs)[0, :, :, 0] != 0
        expected = np.zeros((7, 7), bool)
        expected[2:5, 2:5] = True
        self.assertAllEqual(outputs, expected)

    def test_only_the_last_convolution_is_raised_to_float32(self):
        head = DenseHead(4, 2, dtype="mixed_float16")
        self.assertEqual(head.conv.compute_dtype, "float16")
        self.assertEqual(head.projection.compute_dtype, "float32")
        self.assertDType(head(np.ones((1, 4, 4, 3))), "float32")

    def test_double_precision_is_kept(self):
        head = DenseHead(4, 2, dtype="float64")
        self.assertDType(head(np.ones((1, 4, 4, 3))), "float64")
