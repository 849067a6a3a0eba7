import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from sklearn.metrics import accuracy_score, jaccard_score

from jtr_keras.ops import palette
from jtr_keras.tasks import SemanticSegmentation
from jtr_keras.visualization import paint
from tests.testing import TestCase


class SemanticSegmentationTest(TestCase):
    def test_loss_is_cross_entropy_of_logits(self):
        task = SemanticSegmentation(2)
        logits = np.log([[[[1.0, 3.0]], [[1.0, 1.0]], [[7.0, 1.0]]]])
        labels = tf.constant([1, 0, -1], shape=(1, 3, 1, 1))
        expected = (-np.log(0.75) - np.log(0.5)) / 2.0
        loss = task.loss(labels, tf.constant(logits, "float32"))
        self.assertAllClose(loss, [expected])

    @parameterized.parameters((-1, 0.0), (0, 1.0), (2, 1.0), (3, 0.0), (255, 0))
    def test_ids_outside_of_the_classes_are_void(self, label, valid):
        mask = SemanticSegmentation(3).valid_mask(label * pixel())
        self.assertAllEqual(mask, [[[[valid]]]])

    def test_metrics_equal_scikit_learn_over_several_batches(self):
        # Class 4 is in neither targets nor predictions: mIoU leaves it out.
        task = SemanticSegmentation(5)
        metrics = task.metrics()
        rng = np.random.default_rng(0)
        kept = [], []
        for _ in range(3):
            labels = rng.integers(-1, 4, (2, 5, 6, 1), "int32")
            logits = rng.normal(size=(2, 5, 6, 5)).astype("float32")
            logits += 2.0 * np.equal(labels, np.arange(5))
            logits[..., 4] = -9.0
            mask = labels[..., 0] >= 0
            for metric in metrics:
                metric.update_state(
                    task.zero_void(labels), logits, sample_weight=mask
                )
            kept[0].append(labels[mask][:, 0])
            kept[1].append(np.argmax(logits, axis=-1)[mask])
        y_true, y_pred = map(np.concatenate, kept)
        expected = {
            "miou": jaccard_score(y_true, y_pred, average="macro"),
            "pixel_accuracy": accuracy_score(y_true, y_pred),
        }
        for metric in metrics:
            self.assertAllClose(metric.result(), expected.pop(metric.name))
        self.assertEmpty(expected)

    def test_miou_counts_classes_that_are_only_predicted(self):
        miou = SemanticSegmentation(3).metrics()[0]
        labels = tf.constant([0, 0, 0, 0], shape=(1, 2, 2, 1))
        logits = keras.ops.one_hot([[[0, 0], [0, 2]]], 3)
        miou.update_state(labels, logits)
        self.assertAllClose(miou.result(), (0.75 + 0.0) / 2.0)

    def test_weights_of_miou_may_be_fractions(self):
        miou = SemanticSegmentation(2).metrics()[0]
        labels = tf.constant([0, 0, 1], shape=(1, 1, 3, 1))
        logits = keras.ops.one_hot([[[0, 1, 1]]], 2)
        miou.update_state(labels, logits, sample_weight=[[[0.5, 0.5, 1.0]]])
        self.assertAllClose(miou.result(), (0.5 / 1.0 + 1.0 / 1.5) / 2.0)

    @parameterized.parameters((False, [[1], [-1], [9]]), (True, None))
    def test_colours(self, predicted, labels):
        colour = palette(3)[1]
        if predicted:
            values = np.array([[[0.0, 2.0, 1.0]], [[-3.0, -1.0, -2.0]]])
            expected = [[colour], [colour]]
        else:
            values = np.array(labels)[:, None]
            expected = [[colour], [[0, 0, 0]], [[0, 0, 0]]]
        picture = paint(SemanticSegmentation(3), values, predicted)
        self.assertAllEqual(picture, expected)

    def test_check_tells_the_ids_it_found(self):
        labels = np.array([0, 1, -1, 7, 7, -2])
        self.assertRegex(
            SemanticSegmentation(2).check(labels), r"0 to 1.*found \[-2, 7\]"
        )

    def test_description_names_the_classes(self):
        told = SemanticSegmentation(2, class_names=["wall", "floor"]).describe()
        self.assertEqual(told["classes"], ["wall", "floor"])
        self.assertEqual(told["colours"], palette(2).tolist())

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`num_classes` must be >= 2"):
            SemanticSegmentation(1)
        with self.assertRaisesRegex(ValueError, "must be 3 names.*got 2"):
            SemanticSegmentation(3, class_names=["wall", "floor"])


def pixel():
    return tf.ones((1, 1, 1, 1), "int32")
