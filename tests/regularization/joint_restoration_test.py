import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.regularization.joint_restoration import restoration_error
from jtr_keras.regularization.joint_task.stacks import JointView
from jtr_keras.regularization.joint_task.semantics import CORRECTED, REFERENCE
from jtr_keras.tasks import Depth
from tests.testing import TestCase

PHI_OF_HALF = 0.0668072  # Phi((0.5 - 2) / 1)


class JointRestorationTest(TestCase):
    @parameterized.parameters(
        # Of four pixels, one has no label; raw outputs of 0 stand for 1/2.
        # Labels: 2 m has code 1/2, which is restored; 3 m has 0.841.
        # Predictions: 2 m everywhere, restored.
        (CORRECTED, (0.8413447 - 0.5) / 3),
        # The same, and the codes of the predictions encoded once more: three
        # pixels of |Phi(1/2) - 1/2| over four codes that are not 0.
        (REFERENCE, (0.8413447 - 0.5) / 3 + 3 * (0.5 - PHI_OF_HALF) / 4),
    )
    def test_values(self, semantics, expected):
        depth = Depth(mean=2.0, stddev=1.0)
        targets = np.array([2.0, 2.0, 3.0, 0.0], "float32").reshape(1, 1, 4, 1)
        predictions = np.full_like(targets, 2.0)
        view = JointView(
            [depth],
            semantics,
            {"depth": tf.constant(targets)},
            {"depth": tf.constant(predictions)},
            {"depth": tf.ones(1)},
            {},
        )
        decoded = {"depth": tf.zeros((1, 1, 4, 1))}
        codes = view.prediction_codes(draw=None)
        error = restoration_error(view, codes, decoded, decoded)
        self.assertAllClose(error, [expected], rtol=1e-4)
