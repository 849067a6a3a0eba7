import json

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import colour_map
from jtr_keras.tasks import Depth
from jtr_keras.visualization import paint
from tests.testing import TestCase


class DepthTest(TestCase):
    def test_loss_is_the_mean_absolute_error(self):
        targets = column(1.0, 2.0, 0.0, -3.0)
        predictions = column(4.0, 1.0, 9.0, 9.0)
        self.assertAllClose(nyu().loss(targets, predictions), [2.0])

    @parameterized.parameters(
        (0.0, 0.068421), (1.0, 0.195509), (2.3618, 0.5), (5.0, 0.951719)
    )
    def test_code_is_the_quantile_of_a_normal_law(self, depth, quantile):
        code = nyu().codec.encode(column(depth))
        self.assertAllClose(code, column(quantile), atol=1e-6)

    @parameterized.parameters((False, 2.0), (True, 8.0))
    def test_enlarging_brings_things_nearer(self, inverse, expected):
        # Half the depth, twice the disparity; missing stays missing.
        task = Depth(1.0, 1.0, inverse=inverse)
        targets = task.rescale(column(4.0, 0.0), tf.constant(2.0))
        self.assertAllClose(targets, column(expected, 0.0))

    def test_metrics_by_hand(self):
        targets, predictions = column(1.0, 2.0), column(1.3, 1.0)
        logs = np.log([1.3, 2.0])
        expected = {
            "abs_err": 0.65,
            "rel_err": (0.3 + 0.5) / 2.0,
            "rmse": np.sqrt((0.09 + 1.0) / 2.0),
            "log_rmse": np.sqrt(np.mean(logs**2)),
            "delta_1": 0.0,
            "delta_2": 0.5,  # 1.3 is below 1.5625, 2.0 is not
            "delta_3": 0.5,  # nor is it below 1.953125.
        }
        for metric in nyu().metrics():
            metric.update_state(targets, predictions)
            self.assertAllClose(
                metric.result(), expected.pop(metric.name), rtol=1e-5
            )
        self.assertEmpty(expected)

    def test_colours_show_near_bright_and_missing_black(self):
        values = np.array([[[0.0], [2.3618], [np.nan], [1e-3], [1e9]]])
        near, middle, far = colour_map(np.array([0.931575, 0.5, 0.0]))
        black = [0, 0, 0]
        picture = paint(nyu(), values)
        self.assertAllClose(picture[0], [black, middle, black, near, far])
        # A prediction of 0 is a prediction, not a gap.
        picture = paint(nyu(), values[:, :1], predicted=True)
        self.assertAllClose(picture[0], [near])

    def test_small_integers_are_millimetres(self):
        codec = nyu().codec
        integers = codec.quantize(column(2.0004, 0.0016, -1.0, 70.0))
        self.assertEqual(integers.dtype, "uint16")
        self.assertAllEqual(np.ravel(integers), [2000, 2, 0, 65535])
        self.assertAllClose(codec.quantization.dequantize([2000]), [2.0])

    def test_description_tells_the_unit(self):
        self.assertEqual(nyu().describe()["unit"], "metre")
        disparity = Depth(mean=1.0, stddev=1.0, inverse=True).describe()
        self.assertEqual(disparity["prediction"], "inverse depth")
        self.assertNotIn("metre", json.dumps(disparity))

    def test_check_counts_the_wrong_pixels(self):
        values = np.array([0.0, 1.0, -1.0, np.nan, np.inf])
        self.assertIn("found 3 pixels", nyu().check(values))

    @parameterized.parameters(0.0, -1.0, float("nan"))
    def test_stddev_must_be_positive(self, stddev):
        with self.assertRaisesRegex(ValueError, "`stddev` must be positive"):
            Depth(mean=1.0, stddev=stddev)


def nyu():
    return Depth(mean=2.3618, stddev=1.5876)


def column(*values):
    """One image with these pixels below one another."""
    return tf.constant(values, "float32", (1, len(values), 1, 1))
