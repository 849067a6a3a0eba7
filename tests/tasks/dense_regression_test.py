import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import colour_map
from jtr_keras.tasks import DenseRegression
from jtr_keras.visualization import paint
from tests.testing import TestCase


class DenseRegressionTest(TestCase):
    def test_loss_is_the_mean_absolute_error_over_channels(self):
        task = DenseRegression("curvature", channels=2, minimum=-9, maximum=9)
        targets = column([1, 2], [3, 3], [np.nan, 1])
        predictions = column([2, 5], [3, 1], [9, 9])
        self.assertAllClose(
            task.loss(targets, predictions), [(2.0 + 1.0) / 2.0]
        )

    def test_one_missing_channel_makes_a_pixel_void(self):
        task = DenseRegression("curvature", channels=2)
        mask = task.valid_mask(column([0, 0], [0, np.nan], [np.inf, 0]))
        self.assertAllEqual(mask[0, :, 0, 0], [1.0, 0.0, 0.0])

    @parameterized.parameters(
        (0.0, 1.0), (-50.0, -1.0), (50.0, 3.0), (np.log(3.0), 2.0)
    )
    def test_predictions_are_squashed_into_the_range(self, logit, expected):
        task = DenseRegression("x", minimum=-1.0, maximum=3.0)
        self.assertAllClose(task.activate(column([logit])), column([expected]))

    @parameterized.parameters((-1, 0.0), (0, 0.25), (3, 1.0), (4, 1), (-2, 0))
    def test_code_is_the_place_in_the_range(self, value, expected):
        task = DenseRegression("x", minimum=-1.0, maximum=3.0)
        self.assertAllClose(
            task.codec.encode(column([value])), column([expected])
        )

    def test_metrics_by_hand(self):
        expected = {"abs_err": 2.0, "rmse": np.sqrt(5.0)}
        for metric in DenseRegression("x").metrics():
            metric.update_state(column([0], [0]), column([3], [1]))
            self.assertAllClose(metric.result(), expected.pop(metric.name))
        self.assertEmpty(expected)

    def test_colours(self):
        task = DenseRegression("x", channels=2, minimum=-1, maximum=1)
        values = np.array([[[1.0, 0.0], [np.nan, 1.0]]])
        picture = paint(task, values)
        self.assertAllEqual(picture, [[colour_map(np.array(0.75)), [0, 0, 0]]])

    def test_check_tells_what_it_found(self):
        task = DenseRegression("x", maximum=2.0)
        self.assertIn("-1 to 3", task.check(np.array([-1, 0, np.nan, 3])))

    def test_default_baseline_is_the_error_of_the_middle(self):
        # Of values spread evenly over the range.
        task = DenseRegression("x", minimum=-1.0, maximum=3.0)
        values = np.linspace(-1.0, 3.0, 10001)
        self.assertAllClose(
            np.mean(np.abs(values - 1.0)), task.default_baseline, atol=1e-3
        )

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`channels` must be >= 1"):
            DenseRegression("x", channels=0)
        for maximum in (0.0, -1.0, float("nan")):
            with self.assertRaisesRegex(ValueError, "less than `maximum`"):
                DenseRegression("x", maximum=maximum)


def column(*pixels):
    """One image with these pixels below one another."""
    return tf.constant(
        np.array(pixels), "float32", (1, len(pixels), 1, len(pixels[0]))
    )
