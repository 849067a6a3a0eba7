import numpy as np
import tensorflow as tf

from jtr_keras.regularization.label_restoration.stacks import (
    FLOOR,
    CoarseStacks,
    restoration_error,
    with_evidence,
)
from jtr_keras.tasks import (
    Categorical,
    DenseRegression,
    Depth,
    NormalQuantile,
    SemanticSegmentation,
    UnitVector,
)
from tests.testing import TestCase

MIRRORED = tf.constant([[1.0, 1.0, 0.0, 0.0]])


class CoarseStacksTest(TestCase):
    def make(self, labelled=1.0):
        """One image of four rows and two columns, in patches of two pixels."""
        depth = np.full((1, 2, 4, 2, 1), 2.0, "float32")
        depth[:, :, 3, 0] = 0.0  # One pixel of the second patch is void.
        classes = np.zeros((1, 2, 4, 2, 1), "int32")
        classes[:, :, 0, 0] = 1  # A quarter of the first patch.
        logits = np.zeros((1, 2, 4, 2, 2), "float32")
        logits[:, 0, :2, :, 1] = np.log(3.0)  # In the first view alone.
        return CoarseStacks.of(
            [SemanticSegmentation(2), Depth(mean=2.0, stddev=1.0)],
            {"segmentation": tf.constant(classes), "depth": tf.constant(depth)},
            {
                "segmentation": tf.constant(logits),
                "depth": tf.fill((1, 2, 4, 2, 1), 3.0),
            },
            {"segmentation": tf.ones(1), "depth": tf.constant([labelled])},
            MIRRORED,
            stride=2,
        )

    def test_values(self):
        stacks = self.make()
        classes, depth = (code[0, :, 0] for code in stacks.labels)
        self.assertAllClose(classes, [[0.75, 0.25], [1.0, 0.0]])
        # Phi(0), and in one of four pixels Phi(-2), the code of nothing.
        self.assertAllClose(depth, [[0.5], [0.75 * 0.5 + 0.25 * 0.0227501]])
        whole = [np.ravel(mask) for mask in stacks.annotated]
        self.assertAllEqual(whole, [[1.0, 1.0], [1.0, 0.0]])
        self.assertAllClose(
            stacks.first_view[0, :, 0],
            [[0.25, 0.75, 0.8413447], [0.5, 0.5, 0.8413447]],
        )
        self.assertAllClose(stacks.predictions[0], tf.zeros((1, 2, 1, 2)))
        self.assertAllClose(stacks.predictions[1], tf.fill((1, 2, 1, 1), 3.0))

    def test_label_stack_shows_what_the_masks_do_and_the_masks(self):
        stacks = self.make()
        first = tf.reshape([1.0, 0.0], (1, 2, 1, 1))
        stack = stacks.label_stack([first, 0.0 * first])
        self.assertAllClose(stack[0, :, 0], [[0.75, 0.25, 0, 1, 0], [0.0] * 5])

    def test_images_without_a_label_are_told(self):
        self.assertAllEqual(self.make().has_label, [[1.0]])
        edges = DenseRegression("edges")
        maps = {"edges": tf.ones((2, 2, 4, 4, 1))}
        labelled = {"edges": tf.constant([0.0, 0.5])}
        geometry = tf.repeat(MIRRORED, 2, axis=0)
        stacks = CoarseStacks.of([edges], maps, maps, labelled, geometry, 4)
        self.assertAllEqual(stacks.has_label, [[0.0], [1.0]])

    def test_images_that_are_no_whole_number_of_patches(self):
        ramp = tf.range(18.0)[:, None] / 18.0
        first = tf.tile(ramp[None, None, None], (1, 1, 16, 1, 1))
        maps = {"edges": tf.concat([first, first[..., ::-1, :]], axis=1)}
        edges = DenseRegression("edges")
        stacks = CoarseStacks.of(
            [edges], maps, maps, {"edges": tf.ones(1)}, MIRRORED, stride=4
        )
        # The first patch shows pixels that made none in the first view.
        found, expected = stacks.first_view[0], stacks.predictions[0][0]
        self.assertAllClose(found[:, 1:], expected[:, 1:], atol=1e-5)

    def test_no_evidence_changes_no_code(self):
        stacks = self.make()
        codes = [stacks.first_view[..., :2], stacks.first_view[..., 2:]]
        nothing = [0.0 * mask for mask in stacks.annotated]
        restored = stacks.restore(
            lambda predictions, labels: 0.0 * predictions,
            codes,
            stacks.annotated,
            nothing,
        )
        self.assertLen(restored, 2)
        for found in (*restored, stacks.normalize_codes(codes)):
            for code, expected in zip(found, codes, strict=True):
                self.assertAllClose(code, expected)


class WithEvidenceTest(TestCase):
    def test_it_is_added_to_quantiles(self):
        moved = with_evidence(NormalQuantile(2.0, 1.0), tf.constant(0.5), 0.2)
        self.assertAllClose(moved, 0.7)

    def test_it_is_added_to_logarithms_of_probabilities(self):
        code = tf.constant([0.25, -0.1, 0.75], shape=(1, 1, 1, 3))
        evidence = tf.constant(np.log([6.0, 1.0, 2.0]), "float32")
        moved = with_evidence(Categorical(3), code, evidence[None, None, None])
        expected = np.array([1.5, FLOOR, 1.5]) / (3 + FLOOR)
        self.assertAllClose(moved[0, 0, 0], expected, rtol=1e-4)

    def test_it_turns_vectors_and_keeps_their_length(self):
        codec = UnitVector()
        code = codec.encode(column([0, 0, 1], [0, 0, 0.5], [0, 0, 0]))
        moved = with_evidence(
            codec, code, column([0, 0.5, 0], [0.4, 0, 0], [1, 0, 0])
        )
        expected = column([0, 0.70711, 0.70711], [0.424, 0, 0.265], [0, 0, 0])
        self.assertAllClose(moved, codec.encode(expected), atol=1e-3)


class RestorationErrorTest(TestCase):
    def test_of_probabilities_it_is_the_cross_entropy_over_that_of_a_guess(
        self,
    ):
        code, restored = (
            column([0.25, 0.0, 0.75]),
            column([1 / 8, 2 / 8, 5 / 8]),
        )
        expected = -0.25 * np.log(1 / 8) - 0.75 * np.log(5 / 8)
        found = restoration_error(Categorical(3), code, restored)
        self.assertAllClose(found, [[[[expected / np.log(3)]]]])

    def test_of_others_it_is_their_distance(self):
        found = restoration_error(
            NormalQuantile(2.0, 1.0), column([0.25]), column([0.75])
        )
        self.assertAllClose(found, [[[[1.0]]]])


def column(*pixels):
    """One image with these pixels below one another."""
    return tf.constant(
        np.array(pixels), "float32", (1, len(pixels), 1, len(pixels[0]))
    )
