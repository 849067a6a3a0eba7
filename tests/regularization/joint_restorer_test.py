import numpy as np
import tensorflow as tf

from jtr_keras.regularization import JointRestorer
from tests.testing import TestCase


class JointRestorerTest(TestCase):
    def make(self, dtype="float32"):
        layer = JointRestorer(widths=(4, 6, 5), dtype=dtype)
        layer.build((None, None, None, 5), (None, None, None, 7))
        return layer

    def stacks(self):
        rng = np.random.default_rng(0)
        return [
            tf.constant(rng.normal(size=(2, 9, 12, c)), "float32")
            for c in (5, 7)
        ]

    def test_begins_with_no_correction(self):
        predictions, labels = self.stacks()
        for dtype in ("float32", "mixed_bfloat16"):
            restored = self.make(dtype)(predictions, labels)
            self.assertDType(restored, "float32")
            self.assertAllClose(restored, predictions, atol=0.02)

    def test_is_blind_to_labels_until_it_learns_from_some(self):
        predictions, labels = self.stacks()
        layer = self.make()
        layer.correction.kernel.assign(tf.ones_like(layer.correction.kernel))
        for given, learns in ((0.0 * labels, False), (labels, True)):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(predictions, given) ** 2)
            gradient = tape.gradient(loss, layer.from_labels.kernel.value)
            self.assertEqual(np.abs(gradient).max() > 0, learns)
        self.assertAllClose(
            layer(predictions, labels), layer(predictions, -labels)
        )

    def test_sees_places(self):
        layer = self.make()
        layer.correction.kernel.assign(tf.ones_like(layer.correction.kernel))
        nothing = [0.0 * stack for stack in self.stacks()]
        restored = layer(*nothing)[0, 2:-2, 2:-2, 0]  # Without the border.
        self.assertGreater(np.std(restored, axis=0).min(), 0.0)
        self.assertGreater(np.std(restored, axis=1).min(), 0.0)

    def test_learns_from_slopes_of_labels(self):
        layer = self.make()
        layer.correction.kernel.assign(tf.ones_like(layer.correction.kernel))
        predictions, labels = self.stacks()
        found = []
        for given in (labels, tf.ones_like(labels)):  # Level ones have none.
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(predictions, given) ** 2)
            gradient = tape.gradient(loss, layer.from_labels.kernel.value)
            found.append(np.abs(gradient[0, 0, 7:]).max() > 0)
        self.assertEqual(found, [True, False])

    def test_config(self):
        copy = JointRestorer.from_config(self.make().get_config())
        self.assertEqual((copy.widths, copy.stride), ((4, 6, 5), 1))
