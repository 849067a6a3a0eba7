import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.metrics import MeanError
from jtr_keras.metrics.mean_error import ERRORS, get_error, masked_errors
from tests.metrics.numpy_errors import batches, numpy_error
from tests.testing import TestCase

SETTINGS = (
    {"error": "absolute"},
    {"error": "absolute", "root": True},
    {"error": "relative"},
    {"error": "log", "root": True},
    {"error": "ratio", "below": 1.25},
    {"error": "ratio", "below": 1.25**2},
    {"error": "ratio", "below": 1.25**3},
    {"error": "angle"},
    {"error": "angle", "root": True},
    {"error": "angle", "below": 11.25},
    {"error": "angle", "below": 22.5},
    {"error": "angle", "below": 30.0},
)


class MeanErrorTest(TestCase):
    @parameterized.parameters(
        ({"error": "absolute"}, 2.0),
        ({"error": "absolute", "root": True}, np.sqrt(14.0 / 3.0)),
        ({"error": "absolute", "below": 2.0}, 1.0 / 3.0),  # 2 is not below 2.
        ({"error": "relative"}, (1.0 + 1.0 + 3.0 / 4.0) / 3.0),
        ({"error": "ratio", "below": 3.0}, 2.0 / 3.0),
    )
    def test_values(self, settings, expected):
        metric = MeanError(**settings)
        y_true = np.array([1.0, 2.0, 4.0], "float32").reshape(1, 3, 1, 1)
        y_pred = np.array([2.0, 4.0, 1.0], "float32").reshape(1, 3, 1, 1)
        metric.update_state(y_true, y_pred)
        self.assertAllClose(metric.result(), expected)

    @parameterized.parameters(*SETTINGS)
    def test_equals_numpy_over_several_batches(self, **settings):
        metric = MeanError(**settings)
        values = []
        for y_true, y_pred, mask in batches(settings["error"] == "angle"):
            metric.update_state(y_true, y_pred, sample_weight=mask)
            kept = mask > 0
            values.append(
                numpy_error(settings["error"], y_true[kept], y_pred[kept])
            )
        # All pixels of the set at once: no mean of means.
        values = np.concatenate(values)
        if "below" in settings:
            values = values < settings["below"]
        expected = np.mean(values)
        if settings.get("root"):
            expected = np.sqrt(np.mean(np.square(values)))
        self.assertAllClose(metric.result(), expected, rtol=1e-4)

    def test_nothing_annotated_is_0(self):
        metric = MeanError("relative", root=True)
        nothing = np.full((1, 2, 2, 1), np.nan, "float32")
        metric.update_state(
            nothing, np.ones_like(nothing), sample_weight=np.zeros((1, 2, 2))
        )
        self.assertEqual(float(metric.result()), 0.0)

    def test_reset(self):
        metric = MeanError("absolute")
        for _ in range(2):
            metric.update_state(np.zeros((1, 1, 1, 1)), np.ones((1, 1, 1, 1)))
            self.assertEqual(float(metric.result()), 1.0)
            self.assertEqual(float(metric.total), 1.0)
            metric.reset_state()

    @parameterized.parameters(
        {"error": "angle", "root": True, "name": "a", "dtype": "float64"},
        {"error": "ratio", "below": 1.25, "name": "b", "dtype": "float64"},
    )
    def test_config(self, **arguments):
        metric = MeanError(**arguments)
        self.run_class_serialization_test(metric)
        config = metric.get_config()
        self.assertEqual(config | arguments, config)

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`error` must be one of"):
            MeanError("squared")
        with self.assertRaisesRegex(ValueError, "either `root` or `below`"):
            MeanError("angle", root=True, below=0.0)


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
