import tensorflow as tf

from jtr_keras.balancing import GeometricLoss
from tests.balancing.calling import bound, weigh
from tests.testing import TestCase


class GeometricLossTest(TestCase):
    def test_sum_is_the_geometric_mean_of_the_present(self):
        layer = bound(GeometricLoss())
        weights, _ = weigh(layer, [8, 2, 4], [1, 1, 1])
        self.assertAllClose(weights, [1 / 6, 2 / 3, 1 / 3])  # G = 4.
        weights, _ = weigh(layer, [8, 2, 0], [1, 1, 0])
        self.assertAllClose(weights, [0.25, 1.0, 0.0])

    def test_gradient_is_that_of_the_geometric_mean(self):
        layer = bound(GeometricLoss())
        losses = tf.constant([8.0, 2.0, 4.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(losses)
            by_name = dict(
                zip(layer.task_names, tf.unstack(losses), strict=True)
            )
            weights, _ = layer(by_name, dict.fromkeys(by_name, tf.ones(())))
            total = sum(weights[name] * by_name[name] for name in by_name)
            expected = tf.reduce_prod(losses) ** (1 / 3)
        self.assertAllClose(total, expected)
        self.assertAllClose(
            tape.gradient(total, losses), tape.gradient(expected, losses)
        )

    def test_a_label_without_annotated_pixels_is_absent(self):
        weights, _ = weigh(bound(GeometricLoss()), [8, 2, 0], [1, 1, 1])
        self.assertAllClose(weights, [0.25, 1.0, 0.0])

    def test_compensation_does_not_change_the_proportions(self):
        layer = bound(
            GeometricLoss(compensate_label_rate=True, label_rate_momentum=0.0)
        )
        weights, _ = weigh(layer, [4, 2, 4], [0.5, 1, 1])  # 8, 2, 4.
        self.assertAllClose(weights, [1 / 3, 2 / 3, 1 / 3])
