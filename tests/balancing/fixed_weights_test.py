from jtr_keras.balancing import FixedWeights
from tests.balancing.calling import bound, weigh
from tests.testing import TestCase


class FixedWeightsTest(TestCase):
    def test_equal_weights_are_the_default(self):
        weights, penalty = weigh(bound(FixedWeights()), [3, 2, 1], [1, 1, 1])
        self.assertAllClose(weights, [1.0, 1.0, 1.0])
        self.assertEqual(penalty, 0.0)

    def test_weights_by_name_and_an_absent_task(self):
        layer = bound(FixedWeights({"normals": 0.5, "segmentation": 3.0}))
        self.assertAllClose(
            weigh(layer, [3, 2, 1], [1, 1, 0.5])[0], [3.0, 1.0, 0.5]
        )
        self.assertAllClose(
            weigh(layer, [0, 2, 1], [0, 1, 0.5])[0], [0.0, 1.0, 0.5]
        )

    def test_unknown_task(self):
        with self.assertRaisesRegex(ValueError, "`weights`.*depth.*'deep'"):
            bound(FixedWeights({"deep": 1.0}))
