import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.regularization.joint_task.reconstruction import (
    reconstruction_error,
    reconstruction_loss,
    similarity_offset,
)
from jtr_keras.regularization.joint_task.semantics import CORRECTED, REFERENCE
from jtr_keras.regularization.joint_task.stacks import JointView
from jtr_keras.tasks import (
    Categorical,
    Depth,
    NormalQuantile,
    UnitInterval,
    UnitVector,
)
from tests.testing import TestCase

PHI_OF_HALF = 0.0668072  # Phi((0.5 - 2) / 1)


class ReconstructionLossTest(TestCase):
    @parameterized.parameters(
        # Of four pixels, one has no label; raw outputs of 0 stand for 1/2.
        # Labels: 2 m has code 1/2, which is reconstructed; 3 m has 0.841.
        # Predictions: 2 m everywhere, reconstructed.
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
        codes = view.prediction_codes(sample=None)
        error = reconstruction_loss(view, codes, decoded, decoded)
        self.assertAllClose(error, [expected], rtol=1e-4)


class ReconstructionErrorTest(TestCase):
    def test_probabilities_of_each_class_are_cross_entropies(self):
        error = reconstruction_error(
            Categorical(2), column([1.0, 0.0]), column(np.log([3.0, 1.0]))
        )
        self.assertAllClose(error, column([-np.log(0.75) - np.log(0.5)]))

    def test_places_are_a_mean_over_channels(self):
        error = reconstruction_error(
            UnitInterval(channels=2),
            column([0.25, 0.5]),
            column([np.log(3.0), 0.0]),
        )
        self.assertAllClose(error, column([0.25]))

    def test_quantiles_are_kept_off_0_and_1(self):
        # The second one's is 1 - 0.5e-5.
        error = reconstruction_error(
            NormalQuantile(2.3618, 1.5876),
            column([0.25], [0.25]),
            column([np.log(3.0)], [1000.0]),
        )
        expected = column([0.5 - 0.25e-5], [0.75 - 0.5e-5])
        self.assertAllClose(error, expected, atol=1e-7)

    def test_vectors_may_be_of_any_length(self):
        codec = UnitVector()
        code = codec.encode(column([0, 0, 1], [0, 0, 1], [0, 0, 1]))
        decoded = column([0, 0, 9], [0, 6, 8], [0, 0, -0.5])
        self.assertAllClose(
            reconstruction_error(codec, code, decoded)[0, :, 0, 0],
            [0.0, 0.2, 2.0],
        )

    def test_only_vectors_have_a_similarity(self):
        self.assertEqual(similarity_offset(UnitVector()), 1.0)
        for codec in (Categorical(2), UnitInterval(), NormalQuantile(1.0, 1.0)):
            self.assertEqual(similarity_offset(codec), 0.0)


def column(*pixels):
    """One image with these pixels below one another."""
    return tf.constant(
        np.array(pixels), "float32", (1, len(pixels), 1, len(pixels[0]))
    )
