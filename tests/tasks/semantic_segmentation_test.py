import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from sklearn.metrics import accuracy_score, jaccard_score

from jtr_keras.ops import palette
from jtr_keras.tasks import SemanticSegmentation
from jtr_keras.tasks.semantic_segmentation import FLOOR
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

    def test_codes(self):
        task = SemanticSegmentation(3)
        logits = tf.constant(np.log([1.0, 2.0, 5.0]), "float32", (1, 1, 1, 3))
        self.assertAllClose(
            task.encode_targets(2 * pixel())[0, 0, 0], [0.0, 0.0, 1.0]
        )
        self.assertAllClose(
            task.encode_predictions(logits)[0, 0, 0], [1 / 8, 2 / 8, 5 / 8]
        )

    def test_evidence_adds_to_logarithms(self):
        task = SemanticSegmentation(3)
        code = tf.constant([0.25, -0.1, 0.75], shape=(1, 1, 1, 3))
        evidence = tf.constant(np.log([6.0, 1.0, 2.0]), "float32")
        moved = task.with_evidence(code, evidence[None, None, None])
        expected = np.array([1.5, FLOOR, 1.5]) / (3 + FLOOR)
        self.assertAllClose(moved[0, 0, 0], expected, rtol=1e-4)

    def test_soft_error_is_the_cross_entropy_over_that_of_a_guess(self):
        task = SemanticSegmentation(3)
        logits = tf.constant(np.log([1.0, 2.0, 5.0]), "float32", (1, 1, 1, 3))
        code = tf.constant([0.25, 0.0, 0.75], shape=(1, 1, 1, 3))
        expected = -0.25 * np.log(1 / 8) - 0.75 * np.log(5 / 8)
        found = task.soft_error(code, logits)
        self.assertAllClose(found, [[[[expected / np.log(3)]]]], atol=1e-4)
        self.assertAllClose(task.soft_error(code, 0 * logits), [[[[1.0]]]])
        restored = task.restoration_error(code, tf.nn.softmax(logits))
        self.assertAllClose(restored, found, atol=1e-4)
        # A code with no such evidence may be no probabilities.
        distance = task.code_error(code, tf.constant([[[[0.5, -0.1, 1.0]]]]))
        self.assertAllClose(distance, [[[[0.135]]]])

    def test_samples_are_hard_with_the_gradient_of_the_soft_ones(self):
        task = SemanticSegmentation(4)
        rng = np.random.default_rng(0)
        shape = (2, 3, 4, 4)
        logits, noise, weight = (
            tf.constant(rng.normal(size=shape), "float32") for _ in range(3)
        )
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            sample = task.encode_predictions(logits, noise)
            soft = tf.nn.softmax(logits + noise)
            weighted = sample * weight, soft * weight
        self.assertAllEqual(
            np.argmax(sample, axis=-1), np.argmax(logits + noise, axis=-1)
        )
        # The sum of hard - soft and soft rounds; 0 must stay 0.
        self.assertAllEqual(
            np.count_nonzero(sample, axis=-1), np.ones((2, 3, 4))
        )
        self.assertAllClose(np.max(sample, axis=-1), np.ones((2, 3, 4)))
        gradients = [tape.gradient(w, logits) for w in weighted]
        self.assertAllClose(gradients[0], gradients[1])
        self.assertGreater(np.abs(gradients[1]).max(), 0.01)

    def test_reconstruction_error_sums_binary_cross_entropies(self):
        task = SemanticSegmentation(2)
        code = tf.constant([1.0, 0.0], shape=(1, 1, 1, 2))
        decoded = tf.constant(np.log([3.0, 1.0]), "float32", (1, 1, 1, 2))
        self.assertAllClose(
            task.reconstruction_error(code, decoded),
            [[[[-np.log(0.75) - np.log(0.5)]]]],
            rtol=1e-5,
        )

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
                    task.clean(labels), logits, sample_weight=mask
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
    def test_draw(self, predicted, labels):
        colour = palette(3)[1]
        if predicted:
            values = np.array([[[0.0, 2.0, 1.0]], [[-3.0, -1.0, -2.0]]])
            expected = [[colour], [colour]]
        else:
            values = np.array(labels)[:, None]
            expected = [[colour], [[0, 0, 0]], [[0, 0, 0]]]
        picture = SemanticSegmentation(3).draw(values, predicted)
        self.assertAllEqual(picture, expected)

    def test_check_tells_the_ids_it_found(self):
        labels = np.array([0, 1, -1, 7, 7, -2])
        self.assertRegex(
            SemanticSegmentation(2).check(labels), r"0 to 1.*found \[-2, 7\]"
        )

    def test_small_answers_are_classes(self):
        logits = np.array([[[[0.1, -3.0, 0.2]]], [[[-1.0, -0.5, -2.0]]]])
        codes = SemanticSegmentation(3).compact(logits)
        self.assertEqual(codes.dtype, "uint8")
        self.assertAllEqual(codes, [[[[2]]], [[[1]]]])
        expanded = SemanticSegmentation(3).expand(np.array([[[2], [0]]]))
        self.assertAllEqual(expanded, [[[0, 0, 1], [1, 0, 0]]])
        many = SemanticSegmentation(300)
        codes = many.compact(np.eye(300)[None, None, [257]])
        self.assertEqual(codes.dtype, "uint16")
        self.assertAllEqual(codes, [[[[257]]]])

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
