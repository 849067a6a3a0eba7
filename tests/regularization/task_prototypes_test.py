import numpy as np
import tensorflow as tf

from jtr_keras.regularization import TaskPrototypes
from jtr_keras.regularization.task_prototypes import soft_bins
from jtr_keras.tasks import DenseRegression, SemanticSegmentation
from tests.testing import TestCase

SEGMENTATION = SemanticSegmentation(num_classes=3)
EDGES = DenseRegression("edges")
UNSEEN = (0.0, 0.0)


def bound(task, prototypes=None, **options):
    """Embeddings are the directions of two-channel features."""
    sizes = {"dim": 2, "stride": 2, "temperature": 0.5}
    layer = TaskPrototypes(**(sizes | options))
    layer.bind([task], feature_channels=2)
    layer.projection.set_weights([np.eye(2)])
    if prototypes is not None:
        layer.prototypes[task.name].assign([prototypes])
    return layer


def call(layer, target, prediction, labelled=1.0, feature=(3.0, 4.0)):
    """One image of one patch, constant but where `target` is an array."""
    task = layer.tasks[0]
    target = np.broadcast_to(target, (1, 1, 2, 2, 1))
    return layer(
        {task.name: tf.constant(target, task.target_dtype)},
        {task.name: tf.fill((1, 1, 2, 2, 1), 1.0) * prediction},
        {task.name: tf.constant([labelled])},
        features=tf.fill((1, 1, 2, 2, 1), 1.0) * feature,
    )


class TaskPrototypesTest(TestCase):
    def test_contrast_by_hand(self):
        # The embedding is (0.6, 0.8); the third class was never seen.
        layer = bound(SEGMENTATION, [(0.1, 0.0), (0.0, 0.7), UNSEEN])
        losses = call(layer, 0, [0.0, 0.0, 0.0])
        expected = -np.log(np.exp(1.2) / (np.exp(1.2) + np.exp(1.6)))
        self.assertAllClose(losses["prototype_contrast"], expected)
        self.assertAllEqual(losses["prototype_consistency"], 0.0)

    def test_mixed_and_void_patches(self):
        # Void pixels do not dilute, and a patch of two classes is half each.
        prototypes = [(0.1, 0.0), (0.0, 0.7), UNSEEN]
        target = np.reshape([0, 1, -1, -1], (1, 1, 2, 2, 1))
        losses = call(bound(SEGMENTATION, prototypes), target, [0.0] * 3)
        expected = np.log(np.exp(1.2) + np.exp(1.6)) - 0.5 * (1.2 + 1.6)
        self.assertAllClose(losses["prototype_contrast"], expected)

    def test_unseen_classes_have_no_contrast(self):
        for prototypes in (
            [UNSEEN, UNSEEN, UNSEEN],
            [(1.0, 0.0), (0.0, 1.0), UNSEEN],
        ):
            losses = call(bound(SEGMENTATION, prototypes), 2, [0.0] * 3)
            self.assertAllEqual(losses["prototype_contrast"], 0.0)

    def test_consistency_by_hand(self):
        layer = bound(SEGMENTATION, [(0.1, 0.0), (0.0, 0.7), UNSEEN])
        probabilities = np.array([0.2, 0.7, 0.1])
        losses = call(layer, -1, np.log(probabilities), labelled=0.0)
        share = np.exp(1.2) / (np.exp(1.2) + np.exp(1.6))
        shares = np.array([share, 1.0 - share])
        expected = -shares @ np.log([0.2, 0.7])
        # As sure as the entropy is less than that of two equal shares.
        expected *= 1.0 + shares @ np.log(shares) / np.log(2.0)
        self.assertAllClose(losses["prototype_consistency"], expected)
        self.assertAllEqual(losses["prototype_contrast"], 0.0)

    def test_what_resembles_all_alike_teaches_nothing(self):
        # One seen bin alone resembles everything.
        for seen in (3, 2, 1):
            prototypes = [(1.0, 0.0)] * seen + [UNSEEN] * (3 - seen)
            layer = bound(SEGMENTATION, prototypes)
            losses = call(layer, -1, [1.0, 0.0, 0.0], labelled=0.0)
            self.assertAllClose(losses["prototype_consistency"], 0.0, atol=1e-6)

    def test_bins_of_a_regression_by_hand(self):
        # Centres 0, 0.5 and 1; a value of 0.25 is half a spacing from two.
        shares = np.exp([-0.25, -0.25, -2.25])
        shares /= shares.sum()
        code = tf.constant([[0.25]])
        self.assertAllClose(soft_bins(EDGES.codec, code, 3), [[shares]])
        layer = bound(EDGES, [(1.0, 0.0), (0.0, 1.0), UNSEEN], num_bins=3)
        losses = call(layer, 0.25, [0.5])
        logs = np.array([1.2, 1.6]) - np.log(np.exp(1.2) + np.exp(1.6))
        expected = -shares[:2] @ logs
        self.assertAllClose(losses["prototype_contrast"], expected)

    def test_prototypes_are_averages_of_labelled_embeddings(self):
        old = np.array([(0.1, 0.0), (0.0, 0.7), UNSEEN])
        layer = bound(SEGMENTATION, old, momentum=0.75)
        target = np.reshape([0, 2, -1, -1], (1, 1, 2, 2, 1))
        call(layer, target, [0.0] * 3)
        # Half of the pixels, half of these of each class: a quarter each.
        expected = 0.75 * old
        expected[[0, 2]] += 0.25 * 0.25 * np.array([0.6, 0.8])
        found = layer.prototypes["segmentation"]
        self.assertAllClose(found, [expected])
        call(layer, -1, [9.0, 0.0, 0.0], labelled=0.0)
        self.assertAllClose(found, [0.75 * expected])

    def test_features_that_are_not_finite_do_not_count(self):
        old = np.array([(0.1, 0.0), (0.0, 0.7), UNSEEN])
        layer = bound(SEGMENTATION, old, momentum=0.75)
        layer.projection.set_weights([np.ones((2, 2))])
        losses = call(layer, 0, [0.0] * 3, feature=(np.inf, 1.0))
        self.assertTrue(np.isnan(losses["prototype_contrast"]))
        found = layer.prototypes["segmentation"]
        self.assertAllClose(found, [0.75 * old])

    def test_who_learns(self):
        # Labels teach features; features teach predictions without a label.
        layer = bound(SEGMENTATION, [(1.0, 0.0), (0.0, 1.0), UNSEEN])
        for labelled in (1.0, 0.0):
            feature = tf.constant([3.0, 4.0])
            prediction = tf.constant([0.5, 0.0, 0.0])
            sources = [feature, prediction, layer.projection.kernel.value]
            with tf.GradientTape() as tape:
                tape.watch(sources)
                losses = call(layer, 0, prediction, labelled, feature)
                total = sum(losses.values())
            gradients = tape.gradient(total, sources)
            moved = [g is not None and np.any(g != 0) for g in gradients]
            is_labelled = bool(labelled)
            self.assertEqual(moved, [is_labelled, not is_labelled, is_labelled])
            if not labelled:  # Towards the second class, which is nearer.
                self.assertGreater(gradients[1][0], 0.0)
                self.assertLess(gradients[1][1], 0.0)

    def test_arguments_are_checked(self):
        for name, value in (
            ("num_bins", 1),
            ("stride", 6),
            ("stride", 0),
            ("stride", -8),
            ("temperature", 0.0),
            ("momentum", 1.0),
        ):
            with self.assertRaisesRegex(ValueError, f"`{name}`.*{value}"):
                TaskPrototypes(**{name: value})
