import numpy as np
import tensorflow as tf

from jtr_keras.regularization import JointRestorer
from tests.testing import TestCase


class JointRestorerTest(TestCase):
    def make(self, dtype="float32"):
        layer = JointRestorer(widths=(4, 6), dtype=dtype)
        layer.build((None, None, None, 5), (None, None, None, 7))
        return layer

    def test_begins_with_predictions_and_no_evidence(self):
        rng = np.random.default_rng(0)
        predictions, labels = (
            tf.constant(rng.normal(size=(2, 9, 12, c)), "float32")
            for c in (5, 7)
        )
        denoised, evidence = self.make()(predictions, labels)
        self.assertAllEqual(denoised, predictions)
        self.assertAllEqual(evidence, tf.zeros_like(predictions))

    def test_has_a_trust_a_task(self):
        self.assertEqual(self.make().trust.num_tasks, 2)

    def test_config(self):
        copy = JointRestorer.from_config(self.make("bfloat16").get_config())
        self.assertEqual((copy.widths, copy.stride), ((4, 6), 1))
        self.assertEqual(copy.evidence.compute_dtype, "bfloat16")
