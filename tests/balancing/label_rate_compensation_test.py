import numpy as np

from jtr_keras.balancing import FixedWeights, LabelRateCompensation
from tests.balancing.calling import bound, saved_and_loaded, weigh
from tests.testing import TestCase


class LabelRateCompensationTest(TestCase):
    def test_running_rates_by_hand(self):
        layer = LabelRateCompensation(momentum=0.6)
        # From 1, with momenta 1/2, 0.6 (not 2/3), 0.6.
        self.assertAllClose(layer(np.float32([0.5, 1.0])), [1 / 0.75, 1.0])
        self.assertAllClose(layer(np.float32([0.25, 1.0])), [1 / 0.55, 1.0])
        # Absence counts.
        self.assertAllClose(layer(np.float32([0.0, 1.0])), [1 / 0.33, 1.0])

    def test_the_first_label_after_a_long_absence(self):
        layer = LabelRateCompensation(momentum=0.5)
        for rate in [0.0] * 40 + [0.25]:
            factor = layer(np.float32([rate]))
        self.assertAllClose(factor, [1 / (0.5 * 0.25)])

    def test_without_momentum_it_is_the_rate_of_the_batch(self):
        layer = LabelRateCompensation(momentum=0.0)
        self.assertAllClose(layer(np.float32([0.5, 0.0])), [2.0, 0.0])
        self.assertAllClose(layer(np.float32([0.25, 1.0])), [4.0, 1.0])

    def test_a_label_in_one_of_three_images_weighs_as_much(self):
        layer = bound(FixedWeights(compensate_label_rate=True), num_tasks=2)
        sums = np.zeros(2)
        for step in range(900):
            rates = [float(step % 3 == 0), 1.0]  # One image a batch.
            weights, _ = weigh(layer, rates, rates)  # Loss 1 where labelled.
            sums += (weights * rates) * (step >= 600)
        self.assertAllClose(sums[0] / sums[1], 1.0, atol=0.02)

    def test_weights_are_those_of_the_losses_as_they_came(self):
        layer = bound(
            FixedWeights(
                {"depth": 3.0},
                compensate_label_rate=True,
                label_rate_momentum=0.0,
            )
        )
        weights, _ = weigh(layer, [1, 2, 0], [0.5, 0.25, 0])
        self.assertAllClose(weights, [2.0, 12.0, 0.0])

    def test_config_and_saving(self):
        layer = LabelRateCompensation(momentum=0.5)
        copy = LabelRateCompensation.from_config(layer.get_config())
        self.assertEqual(copy.momentum, 0.5)
        for one in (layer, copy):
            one.build((2,))
        for rates in ([0.5, 1.0], [0.0, 0.5]):
            layer(np.float32(rates))
        copy = saved_and_loaded(layer, copy, self.get_temp_dir())
        self.assertAllEqual(copy.rates, layer.rates)
        self.assertEqual(float(copy.steps), 2.0)

    def test_momentum(self):
        with self.assertRaisesRegex(ValueError, r"\[0, 1\); got 1"):
            LabelRateCompensation(momentum=1.0)
