import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.metrics.errors import ERRORS, get_error, masked_errors
from tests.testing import TestCase


class ErrorsTest(TestCase):
    @parameterized.parameters(
        ("absolute", [2.0], [5.0], 3.0),
        ("absolute", [1.0, 2.0], [4.0, 1.0], 2.0),  # Mean over channels.
        ("relative", [2.0], [5.0], 1.5),
        ("relative", [4.0], [3.0], 0.25),
        ("log", [1.0], [np.e], 1.0),
        ("log", [np.e], [1.0], 1.0),
        ("log", [1.0], [-3.0], -np.log(1e-9)),  # Finite where not positive.
        ("ratio", [2.0], [8.0], 4.0),
        ("ratio", [8.0], [2.0], 4.0),
        ("angle", [0.0, 0.0, 1.0], [0.0, 2.0, 0.0], 90.0),
        ("angle", [0.0, 0.0, 1.0], [0.0, 0.0, -3.0], 180.0),
        ("angle", [0.0, 1.0, 1.0], [0.0, 0.0, 1.0], 45.0),
    )
    def test_values(self, name, y_true, y_pred, expected):
        error = ERRORS[name](*map(pixel, (y_true, y_pred)))
        self.assertEqual(error.shape, (1, 1, 1))
        self.assertAllClose(error[0, 0, 0], expected, rtol=1e-5)

    def test_small_angles_keep_their_digits(self):
        # The arc cosine of a float32 gives 0 or 0.02 degrees here.
        radians = np.deg2rad(0.001)
        turned = [0.0, np.sin(radians), np.cos(radians)]
        error = ERRORS["angle"](pixel([0.0, 0.0, 1.0]), pixel(turned))
        self.assertAllClose(error[0, 0, 0], 0.001, rtol=1e-4)

    def test_unknown_name(self):
        with self.assertRaisesRegex(ValueError, "absolute.*got 'squared'"):
            get_error("squared")


class MaskedErrorsTest(TestCase):
    def test_without_weights_every_pixel_counts_once(self):
        errors, weight = masked_errors("absolute", ones(), 3.0 * ones(), None)
        self.assertAllEqual(errors, np.full((2, 3, 4), 2.0))
        self.assertAllEqual(weight, np.ones((2, 3, 4)))

    @parameterized.parameters(np.nan, np.inf, 0.0)
    def test_errors_are_0_under_the_mask(self, rubbish):
        # A relative error of a target of 0 is infinite.
        weight = np.ones((2, 3, 4), "int32")
        weight[0, 1] = 0
        y_true = np.where(weight[..., None] > 0, 1.0, rubbish)
        errors, weights = masked_errors(
            "relative", y_true.astype("float32"), 3.0 * ones(), weight
        )
        self.assertAllEqual(errors, 2.0 * weight)
        self.assertAllEqual(weights, weight)
        self.assertDType(weights, "float32")


def ones():
    return np.ones((2, 3, 4, 1), "float32")


def pixel(values):
    return keras.ops.reshape(
        keras.ops.convert_to_tensor(values, "float32"), (1, 1, 1, -1)
    )
