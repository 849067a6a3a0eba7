import numpy as np

from jtr_keras.regularization import Trust
from tests.testing import TestCase


class TrustTest(TestCase):
    def test_factors_by_hand(self):
        trust = Trust(3, momentum=0.5)
        self.assertAllEqual(trust.factors(), np.ones(3))
        trust.update(before=[0.8, 0.2, 0.0], after=[0.4, 0.4, 0.0])
        self.assertAllClose(trust.factors(), [4.0, 0.25, 1.0], rtol=1e-4)
        # Averages: 0.6 and 0.6, 0.1 and 0.2.
        trust.update(before=[0.8, 0.1, 0.0], after=[1.0, 0.2, 0.0])
        self.assertAllClose(trust.before, [0.6, 0.1, 0.0])
        self.assertAllClose(trust.after, [0.6, 0.2, 0.0])
        self.assertAllClose(trust.factors(), [1.0, 0.25, 1.0], rtol=1e-4)

    def test_factors_have_bounds(self):
        trust = Trust(2, momentum=0.0)
        trust.update(before=[1.0, 0.0], after=[0.0, 1.0])
        self.assertAllEqual(trust.factors(), [4.0, 0.25])

    def test_what_is_not_finite_does_not_count(self):
        trust = Trust(3, momentum=0.5)
        trust.update(before=[0.4, 0.4, 0.4], after=[0.2, 0.2, 0.2])
        trust.update(before=[np.nan, 0.8, 0.8], after=[0.2, np.inf, 0.4])
        self.assertAllClose(trust.before, [0.2, 0.2, 0.5])
        self.assertAllClose(trust.after, [0.1, 0.1, 0.25])

    def test_averages_are_saved_and_not_trained(self):
        trust = Trust(2, momentum=0.9)
        self.assertEmpty(trust.trainable_variables)
        trust.update(before=[1.0, 1.0], after=[0.5, 1.0])
        copy = Trust.from_config(trust.get_config())
        self.assertEqual(copy.momentum, 0.9)
        store = {}
        trust.save_own_variables(store)
        copy.load_own_variables(store)
        self.assertAllClose(copy.factors(), trust.factors())
