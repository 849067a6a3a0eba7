import numpy as np
from absl.testing import parameterized

from jtr_keras.balancing import DynamicWeightAverage
from tests.balancing.calling import bound, weigh
from tests.testing import TestCase


def softmax(*ratios):
    powers = np.exp(np.array(ratios) / 2.0)
    return len(ratios) * powers / powers.sum()


class DynamicWeightAverageTest(TestCase):
    def test_ratios_of_the_last_two_periods(self):
        layer = bound(DynamicWeightAverage(period=2), num_tasks=2)
        ones = [1.0, 1.0]
        for losses in ([4, 1], [2, 3], [1, 1], [2, 3]):
            self.assertAllClose(weigh(layer, losses, ones)[0], ones)
        # Means: 3 and 2, then 1.5 and 2.
        for losses in ([9, 3], [3, 3]):
            weights, _ = weigh(layer, losses, ones)
            self.assertAllClose(weights, softmax(0.5, 1.0))
        # Then 6 and 3.
        weights, _ = weigh(layer, [1, 1], ones)
        self.assertAllClose(weights, softmax(4.0, 1.5))

    def test_temperature(self):
        layer = bound(DynamicWeightAverage(period=1, temperature=1.0), 2)
        for losses in ([1, 1], [1, 2], [1, 1]):
            weights, _ = weigh(layer, losses, [1, 1])
        self.assertAllClose(weights, softmax(2.0, 4.0))

    def test_one_task_absent(self):
        layer = bound(DynamicWeightAverage(period=2))
        steps = (
            ([4, 1, 0], [0.5, 1, 0.0]),
            ([0, 3, 2], [0.0, 1, 0.5]),  # Means of labelled images: 8, 2, 4.
            ([1, 1, 0], [0.25, 1, 0]),
            ([3, 3, 0], [0.75, 1, 0]),  # 4, 2, none: 4 stays.
        )
        for losses, rates in steps:
            weigh(layer, losses, rates)
        self.assertAllClose(layer.last_means, [4.0, 2.0, 4.0])
        self.assertAllClose(layer.earlier_means, [8.0, 2.0, 0.0])
        # The third has had one period, thus ratio 1.
        weights, _ = weigh(layer, [1, 0, 1], [1, 0, 1])
        self.assertAllClose(weights[[0, 2]], softmax(0.5, 1.0))
        self.assertEqual(weights[1], 0.0)
        weigh(layer, [1, 0, 1], [1, 0, 1])
        weights, _ = weigh(layer, [1, 1, 1], [1, 1, 1])
        self.assertAllClose(weights, softmax(0.25, 1.0, 0.25))

    def test_compensated_means_are_those_of_labelled_images(self):
        compensated = {"compensate_label_rate": True, "label_rate_momentum": 0}
        layer = bound(DynamicWeightAverage(period=2, **compensated), 2)
        for rate in (0.5, 0.5, 0.25, 0.125, 0.25):
            # The loss of a labelled image is 3 and 1, all the time.
            weights, _ = weigh(layer, [3 * rate, 1], [rate, 1])
            self.assertAllClose(weights, [1 / rate, 1])
        self.assertAllClose(layer.earlier_means, [3.0, 1.0])
        self.assertAllClose(layer.last_means, [3.0, 1.0])

    def test_a_loss_that_is_not_finite_does_not_count(self):
        layer = bound(DynamicWeightAverage(period=2), num_tasks=2)
        for losses in ([np.nan, 1], [4, 3], [1, np.inf], [3, 3]):
            weigh(layer, losses, [0.5, 1.0])
        # Means of labelled images: 8 and 2, then 4 and 3.
        self.assertAllClose(layer.earlier_means, [8.0, 2.0])
        self.assertAllClose(layer.last_means, [4.0, 3.0])

    @parameterized.parameters({"period": 0}, {"temperature": 0.0})
    def test_arguments(self, **options):
        with self.assertRaisesRegex(ValueError, "must be positive"):
            DynamicWeightAverage(**options)
