import statistics

import numpy as np
import tensorflow as tf

from jtr_keras.ops import UNMOVED
from jtr_keras.regularization import PseudoLabels
from jtr_keras.tasks import Depth, SemanticSegmentation, SurfaceNormals
from tests.testing import TestCase

DEPTH = Depth(mean=2.0, stddev=1.0)
SEGMENTATION = SemanticSegmentation(num_classes=2)
ZOOMED = (0.0, 2.0, 0.0, 0.0)
MIRRORED = (1.0, 1.0, 0.0, 0.0)


def bound(task, **options):
    layer = PseudoLabels(**({"warm_up": 0} | options))
    layer.bind([task])
    return layer


def loss(layer, student, teacher, labelled=(0.0,), geometry=UNMOVED):
    """The term; `student` and `teacher` are `(batch, 2, h, w, channels)`."""
    name = layer.tasks[0].name
    losses = layer(
        {},
        {name: student},
        {name: tf.constant(labelled)},
        teacher={name: teacher},
        geometry=tf.constant([[UNMOVED, geometry]] * len(labelled)),
    )
    return losses["pseudo_labels"]


def views(first, second, shape=(1, 1, 2, 2, 1)):
    """Constant maps of two views."""
    values = tf.reshape(tf.constant([first, second]), (1, 2, 1, 1, -1))
    return tf.broadcast_to(values, (*shape[:1], 2, *shape[2:4], shape[4]))


def apart(first, second):
    """Squared difference of the codes of two depths, of a range of 2."""
    phi = statistics.NormalDist(2.0, 1.0).cdf
    return (2.0 * phi(first) - 2.0 * phi(second)) ** 2


def depths(*rows):
    """One image a row of pixels, the same in both views."""
    maps = tf.constant(rows, "float32")[:, None, None, :, None]
    return tf.tile(maps, (1, 2, 1, 1, 1))


class PseudoLabelsTest(TestCase):
    def test_values_of_a_regression_by_hand(self):
        # Three of four pixels are sure: the last one's codes are Phi(-1) and
        # Phi(1), others' are equal, or Phi(0) and Phi(0.1), 0.04 apart.
        teacher = depths([2.0, 2.0, 3.0, 1.0]).numpy()
        teacher[:, 1, 0, :, 0] = [2.0, 2.1, 3.0, 3.0]
        student = depths([2.5, 4.0, 3.0, 9.0])
        expected = (apart(2.5, 2.0) + apart(4.0, 2.0) + 0.0) / 4.0
        found = loss(bound(DEPTH), student, tf.constant(teacher))
        self.assertAllClose(found, expected)
        # Now the second pixel is not: |Phi(0.1) - Phi(0)| = 0.0398.
        strict = bound(DEPTH, tolerance=0.039)
        found = loss(strict, student, tf.constant(teacher))
        self.assertAllClose(found, apart(2.5, 2.0) / 4.0)

    def test_values_of_a_segmentation_by_hand(self):
        # Probabilities 0.9, 0.6 and 0.05 of class 1, in the first view.
        odds = np.log([9.0, 1.5, 1.0 / 19.0]).astype("float32")
        teacher = np.zeros((1, 2, 1, 3, 2), "float32")
        teacher[0, 0, 0, :, 1] = odds
        student = tf.fill((1, 2, 1, 3, 2), 1.0) * [0.0, np.log(3.0)]
        layer = bound(SEGMENTATION, threshold=0.89)
        # The student gives 3/4 to class 1; the second pixel is not sure.
        expected = (-np.log(0.75) - np.log(0.25)) / np.log(2.0) / 3.0
        self.assertAllClose(
            loss(layer, student, tf.constant(teacher)), expected
        )

    def test_the_target_moves_as_the_image_did(self):
        teacher = tf.concat(
            [depths([3.0] * 4)[:, :1] * x for x in (2.0, 1.0)], 1
        )
        teacher = tf.tile(teacher, (1, 1, 4, 1, 1))
        student = tf.fill((1, 2, 4, 4, 1), 3.5)
        # Enlarged twice, all is half as far.
        found = loss(bound(DEPTH), student, teacher, geometry=ZOOMED)
        self.assertAllClose(found, apart(3.0, 3.5))
        # In the mirror, left normals look right.
        left = tf.constant([-0.6, 0.0, -0.8])
        normals = tf.zeros((1, 2, 4, 4, 3)) + left
        student = normals * [-1.0, 1.0, 1.0]
        teacher = tf.stack([normals[:, 0], student[:, 1]], axis=1)
        layer = bound(SurfaceNormals())
        found = loss(layer, normals, teacher, geometry=MIRRORED)
        self.assertAllClose(found, 1.0 - 0.28)
        found = loss(layer, student, teacher, geometry=MIRRORED)
        self.assertAllClose(found, 0.0, atol=1e-6)

    def test_only_images_without_the_label_have_a_part(self):
        teacher, student = depths([2.0], [2.0]), depths([3.0], [5.0])
        layer = bound(DEPTH)
        for labelled, expected in (
            ((0.0, 0.0), (apart(2.0, 3.0) + apart(2.0, 5.0)) / 2.0),
            ((1.0, 0.0), apart(2.0, 5.0) / 2.0),
            ((0.0, 0.5), apart(2.0, 3.0) / 2.0),
            ((1.0, 0.5), 0.0),
        ):
            found = loss(layer, student, teacher, labelled)
            self.assertAllClose(found, expected)

    def test_predictions_that_are_no_target_are_void(self):
        # A negative depth, and NaN where the teacher is not sure.
        teacher = depths([-1.0, 2.0, np.nan])
        student = depths([5.0, 3.0, 5.0])
        with tf.GradientTape() as tape:
            tape.watch(student)
            found = loss(bound(DEPTH), student, teacher)
        # Resampling mixes NaN into its neighbours, so nothing is left here.
        self.assertAllEqual(found, 0.0)
        gradient = tape.gradient(found, student)
        self.assertAllEqual(gradient, tf.zeros_like(student))
        found = loss(bound(DEPTH), student[..., :2, :], teacher[..., :2, :])
        self.assertAllClose(found, apart(2.0, 3.0) / 2.0)

    def test_only_the_student_s_second_view_learns(self):
        teacher, student = depths([2.0, 2.0]), depths([3.0, 3.0])
        with tf.GradientTape() as tape:
            tape.watch([teacher, student])
            found = loss(bound(DEPTH), student, teacher)
        to_teacher, to_student = tape.gradient(found, [teacher, student])
        self.assertIsNone(to_teacher)
        self.assertAllEqual(to_student[:, 0], tf.zeros_like(to_student[:, 0]))
        # Of (2 Phi(1) - 2 Phi(0))^2 / 2, by the second depth.
        slope = statistics.NormalDist().pdf(1.0)
        expected = 2.0 * slope * apart(2.0, 3.0) ** 0.5
        self.assertAllClose(to_student[0, 1, 0, :, 0], [expected, expected])

    def test_weight_grows(self):
        teacher, student = depths([2.0]), depths([3.0])
        layer = bound(DEPTH, warm_up=4)
        found = [float(loss(layer, student, teacher)) for _ in range(6)]
        expected = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
        self.assertAllClose(found, apart(2.0, 3.0) * np.array(expected))

    def test_arguments_are_checked(self):
        for name, value in (
            ("threshold", 1.5),
            ("tolerance", -0.1),
            ("warm_up", -1),
        ):
            with self.assertRaisesRegex(ValueError, f"`{name}`.*{value}"):
                PseudoLabels(**{name: value})
