import keras
import numpy as np

from jtr_keras.balancing import RandomLossWeighting
from tests.balancing.calling import bound, saved_and_loaded, weigh
from tests.testing import TestCase


class RandomLossWeightingTest(TestCase):
    def test_softmax_of_normal_numbers(self):
        layer = bound(RandomLossWeighting(seed=3))
        weights, _ = weigh(layer, [1, 2, 3], [1, 1, 1])
        scores = keras.random.normal((3,), seed=keras.random.SeedGenerator(3))
        powers = np.exp(scores)
        self.assertAllClose(weights, 3 * powers / powers.sum())
        other, _ = weigh(layer, [1, 2, 3], [1, 1, 1])
        self.assertAllClose(other.sum(), 3.0)
        self.assertGreater(np.abs(weights - other).max(), 1e-3)

    def test_an_absent_task_leaves_the_others_proportions(self):
        whole, _ = weigh(bound(RandomLossWeighting(seed=3)), [1] * 3, [1] * 3)
        layer = bound(RandomLossWeighting(seed=3))
        weights, _ = weigh(layer, [1, 0, 1], [1, 0, 1])
        self.assertAllClose(weights.sum(), 2.0)
        self.assertEqual(weights[1], 0.0)
        self.assertAllClose(weights[0] / weights[2], whole[0] / whole[2])

    def test_sampling_goes_on_after_loading(self):
        layer = bound(RandomLossWeighting(seed=3))
        weigh(layer, [1] * 3, [1] * 3)
        copy = saved_and_loaded(
            layer, bound(RandomLossWeighting(seed=4)), self.get_temp_dir()
        )
        expected, _ = weigh(layer, [1] * 3, [1] * 3)
        self.assertAllClose(weigh(copy, [1] * 3, [1] * 3)[0], expected)
