import numpy as np
import tensorflow as tf

from jtr_keras.balancing import UncertaintyWeights
from tests.balancing.calling import bound, weigh
from tests.testing import TestCase


class UncertaintyWeightsTest(TestCase):
    def test_weights_and_penalty(self):
        layer = bound(UncertaintyWeights({"depth": 0.5}))
        self.assertAllClose(weigh(layer, [3, 2, 1], [1] * 3)[0], [1, 0.5, 1])
        layer.log_variances.assign(np.log([4.0, 2.0, 0.5]))
        weights, penalty = weigh(layer, [3, 2, 1], [1, 0.5, 1])
        self.assertAllClose(weights, [0.25, 0.25, 2.0])
        self.assertAllClose(penalty, 0.5 * np.log(4.0 * 2.0 * 0.5))

    def test_gradient_by_hand_and_of_an_absent_task(self):
        layer = bound(UncertaintyWeights({"depth": 0.5}))
        layer.log_variances.assign(np.log([4.0, 2.0, 0.5]))
        losses = {"segmentation": 3.0, "depth": 2.0, "normals": 0.0}
        rates = {"segmentation": 1.0, "depth": 0.25, "normals": 0.0}
        with tf.GradientTape() as tape:
            weights, penalty = layer(losses=losses, label_rates=rates)
            total = sum(weights[name] * losses[name] for name in losses)
            total += penalty
        self.assertAllClose(total, 0.75 + 0.5 + 0.5 * np.log(8.0))
        gradient = tape.gradient(total, layer.log_variances.value)
        # -c exp(-s) loss + 1 / 2.
        self.assertAllClose(gradient, [-0.75 + 0.5, -0.5 + 0.5, 0.0])

    def test_unknown_task(self):
        with self.assertRaisesRegex(ValueError, "`factors`.*depth.*'deep'"):
            bound(UncertaintyWeights({"deep": 1.0}))
