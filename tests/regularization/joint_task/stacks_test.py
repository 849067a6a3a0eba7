import numpy as np
import tensorflow as tf

from jtr_keras.regularization.joint_task.semantics import CORRECTED, REFERENCE
from jtr_keras.regularization.joint_task.stacks import JointView
from jtr_keras.tasks import Depth, SurfaceNormals
from tests.testing import TestCase

TASKS = [Depth(mean=2.0, stddev=1.0), SurfaceNormals()]
# One image of three pixels; the second has no depth, the third no normal.
DEPTHS = np.array([2.0, 0.0, 3.0], "float32").reshape(1, 1, 3, 1)
NORMALS = np.array([[0, 0, -1], [1, 0, 0], [0, 0, 0]], "float32")
NORMALS = NORMALS.reshape(1, 1, 3, 3)
PREDICTED_NORMALS = np.full((1, 1, 3, 3), -1.0, "float32")
HALF, EMPTY = 0.5, 0.0227501  # Phi((2 - 2) / 1) and Phi((0 - 2) / 1)
ABOVE = 0.8413447  # Phi((3 - 2) / 1)


def view(labelled, semantics=CORRECTED):
    return JointView(
        TASKS,
        semantics,
        {"depth": tf.constant(DEPTHS), "normals": tf.constant(NORMALS)},
        {
            "depth": tf.constant(np.full_like(DEPTHS, 2.0)),
            "normals": tf.constant(PREDICTED_NORMALS),
        },
        {
            name: tf.constant([float(name in labelled)])
            for name in ("depth", "normals")
        },
        {},
    )


class JointStacksTest(TestCase):
    def test_mask_is_where_all_labels_of_the_image_are_annotated(self):
        for labelled, expected in (
            ((), [1, 1, 1]),
            (("depth",), [1, 0, 1]),
            (("normals",), [1, 1, 0]),
            (("depth", "normals"), [1, 0, 0]),
        ):
            mask = tf.broadcast_to(view(labelled).mask, DEPTHS.shape)
            self.assertAllEqual(np.ravel(mask), expected)

    def test_targets_are_labels_and_predictions_in_their_place(self):
        codes = view({"depth"}).target_codes(
            view({"depth"}).prediction_codes(sample=0)
        )
        self.assertAllClose(np.ravel(codes["depth"]), [HALF, EMPTY, ABOVE])
        self.assertAllClose(
            codes["normals"][0, 0], [[0] * 3, [0.5] * 3, [0] * 3]
        )

    def test_predictions_are_masked_by_what_is_annotated(self):
        codes = view({"depth"}).prediction_codes(sample=0)
        self.assertAllClose(np.ravel(codes["depth"]), [HALF, EMPTY, HALF])

    def test_labels_have_a_mask_of_their_own_in_the_reference(self):
        both = {"depth", "normals"}
        for semantics, expected in (
            (CORRECTED, [HALF, EMPTY, EMPTY]),
            (REFERENCE, [HALF, EMPTY, ABOVE]),
        ):
            found = view(both, semantics)
            codes = found.target_codes(found.prediction_codes(sample=0))
            self.assertAllClose(np.ravel(codes["depth"]), expected)

    def test_stacks_are_in_the_order_of_the_tasks(self):
        found = view({"depth"})
        codes = found.prediction_codes(sample=0)
        stack = found.stack(codes)
        self.assertEqual(stack.shape, (1, 1, 3, 4))
        self.assertAllEqual(stack[..., :1], codes["depth"])
        for name, part in found.unstack(stack).items():
            self.assertAllEqual(part, codes[name])
