import numpy as np

from jtr_keras.regularization import ReliabilityWeights
from tests.testing import TestCase


class ReliabilityWeightsTest(TestCase):
    def test_weights_by_hand(self):
        reliability = ReliabilityWeights(3, momentum=0.5)
        self.assertAllEqual(reliability.task_weights(), np.ones(3))
        reliability.update(before=[0.8, 0.2, 0.0], after=[0.4, 0.4, 0.0])
        self.assertAllClose(
            reliability.task_weights(), [4.0, 0.25, 1.0], rtol=1e-4
        )
        # Averages: 0.6 and 0.6, 0.1 and 0.2.
        reliability.update(before=[0.8, 0.1, 0.0], after=[1.0, 0.2, 0.0])
        self.assertAllClose(reliability.before, [0.6, 0.1, 0.0])
        self.assertAllClose(reliability.after, [0.6, 0.2, 0.0])
        self.assertAllClose(
            reliability.task_weights(), [1.0, 0.25, 1.0], rtol=1e-4
        )

    def test_weights_have_bounds(self):
        reliability = ReliabilityWeights(2, momentum=0.0)
        reliability.update(before=[1.0, 0.0], after=[0.0, 1.0])
        self.assertAllEqual(reliability.task_weights(), [4.0, 0.25])

    def test_what_is_not_finite_does_not_count(self):
        reliability = ReliabilityWeights(3, momentum=0.5)
        reliability.update(before=[0.4, 0.4, 0.4], after=[0.2, 0.2, 0.2])
        reliability.update(before=[np.nan, 0.8, 0.8], after=[0.2, np.inf, 0.4])
        self.assertAllClose(reliability.before, [0.2, 0.2, 0.5])
        self.assertAllClose(reliability.after, [0.1, 0.1, 0.25])

    def test_averages_are_saved_and_not_trained(self):
        reliability = ReliabilityWeights(2, momentum=0.9)
        self.assertEmpty(reliability.trainable_variables)
        reliability.update(before=[1.0, 1.0], after=[0.5, 1.0])
        copy = ReliabilityWeights.from_config(reliability.get_config())
        self.assertEqual(copy.momentum, 0.9)
        store = {}
        reliability.save_own_variables(store)
        copy.load_own_variables(store)
        self.assertAllClose(copy.task_weights(), reliability.task_weights())
