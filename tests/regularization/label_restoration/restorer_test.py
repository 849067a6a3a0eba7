import numpy as np
import tensorflow as tf

from jtr_keras.regularization import Denoiser, LabelEvidence
from jtr_keras.regularization.label_restoration.restorer import DilatedConvs
from tests.testing import TestCase


class DenoiserTest(TestCase):
    def make(self, widths=(4, 6, 5), dtype="float32"):
        layer = Denoiser(widths, dtype=dtype)
        layer.build((None, None, None, 5))
        return layer

    def test_begins_with_no_correction(self):
        rng = np.random.default_rng(0)
        stack = tf.constant(rng.normal(size=(2, 9, 12, 5)), "float32")
        for dtype in ("float32", "mixed_bfloat16"):
            denoised = self.make(dtype=dtype)(stack)
            self.assertDType(denoised, "float32")
            self.assertAllEqual(denoised, stack)

    def test_correction_by_hand(self):
        layer = Denoiser((1,))
        layer.build((None, None, None, 1))
        first, last = layer.first, layer.correction.convs[-1]
        # Features are twice the stack, where that is positive.
        first.kernel.assign(np.reshape([2.0, 0.0, 0.0], (1, 1, 3, 1)))
        last.kernel.assign(np.ones((3, 3, 1, 1)))
        last.bias.assign([0.5])
        stack = np.float32([[1.0, 2.0], [-3.0, 4.0]])[None, ..., None]
        self.assertAllClose(layer(stack), stack + 0.5 + 2.0 * (1 + 2 + 4))

    def test_sees_coordinates(self):
        layer = self.make()
        last = layer.correction.convs[-1]
        last.kernel.assign(tf.ones_like(last.kernel))
        denoised = layer(tf.zeros((2, 13, 14, 5)))[0, 4:-4, 4:-4, 0]
        self.assertGreater(np.std(denoised, axis=0).min(), 0.0)
        self.assertGreater(np.std(denoised, axis=1).min(), 0.0)

    def test_config(self):
        config = self.make(dtype="mixed_bfloat16").get_config()
        copy = Denoiser.from_config(config | {"name": "copy"})
        self.assertEqual(copy.widths, (4, 6, 5))
        self.assertEqual(copy.compute_dtype, "bfloat16")
        self.assertFalse(copy.autocast)


class LabelEvidenceTest(TestCase):
    def make(self, dtype="float32"):
        layer = LabelEvidence(widths=(4, 6, 5), dtype=dtype)
        layer.build((None, None, None, 5), (None, None, None, 7))
        return layer

    def stacks(self):
        rng = np.random.default_rng(0)
        return [
            tf.constant(rng.normal(size=(2, 9, 12, c)), "float32")
            for c in (5, 7)
        ]

    def test_begins_with_none(self):
        predictions, labels = self.stacks()
        for dtype in ("float32", "mixed_bfloat16"):
            evidence = self.make(dtype)(predictions, labels)
            self.assertDType(evidence, "float32")
            self.assertAllEqual(evidence, tf.zeros_like(predictions))

    def test_is_blind_to_labels_until_it_learns_from_some(self):
        predictions, labels = self.stacks()
        layer = self.make()
        for given, learns in ((0.0 * labels, False), (labels, True)):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(predictions, given))
            gradient = tape.gradient(loss, layer.from_labels.kernel.value)
            self.assertEqual(np.abs(gradient).max() > 0, learns)

    def test_is_none_without_labels(self):
        predictions, labels = self.stacks()
        layer = self.make()
        for weight in layer.trainable_variables:
            weight.assign(tf.random.stateless_normal(weight.shape, (1, 2)))
        self.assertGreater(np.abs(layer(predictions, labels)).min(), 0.0)
        nothing = layer(predictions, 0.0 * labels)
        self.assertAllEqual(nothing, tf.zeros_like(predictions))

    def test_sees_coordinates(self):
        layer = self.make()
        layer.from_labels.kernel.assign(tf.ones_like(layer.from_labels.kernel))
        even = [tf.ones_like(stack) for stack in self.stacks()]
        evidence = layer(*even)[0, 2:-2, 2:-2, 0]  # Without the border.
        self.assertGreater(np.std(evidence, axis=0).min(), 0.0)
        self.assertGreater(np.std(evidence, axis=1).min(), 0.0)

    def test_learns_from_gradients_of_labels(self):
        layer = self.make()
        predictions, labels = self.stacks()
        found = []
        for given in (labels, tf.ones_like(labels)):  # Level ones have none.
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(predictions, given))
            gradient = tape.gradient(loss, layer.from_labels.kernel.value)
            found.append(np.abs(gradient[0, 0, 7:]).max() > 0)
        self.assertEqual(found, [True, False])

    def test_evidence_by_hand(self):
        layer = LabelEvidence((1,))
        layer.build((None, None, None, 1), (None, None, None, 1))
        layer.from_predictions.kernel.assign(
            np.reshape([1.0, 0.0, 0.0], (1, 1, 3, 1))
        )
        layer.from_labels.kernel.assign(
            np.reshape([1.0, 0.0, 0.0], (1, 1, 3, 1))
        )
        last = layer.evidence.convs[-1]
        last.kernel.assign(np.full((1, 1, 1, 1), 2.0))
        # Labels count threefold; features are positive, without labels too.
        predictions = np.reshape(np.float32([-5.0, -1.0, 1.0]), (1, 1, 3, 1))
        found = layer(predictions, np.ones((1, 1, 3, 1), "float32"))
        self.assertAllClose(np.ravel(found), [0.0, 2.0 * 2.0, 2.0 * 3.0])

    def test_labels_stay_precise_in_half_precision(self):
        # Gradients of steps that bfloat16 cannot tell apart.
        layer = self.make("mixed_bfloat16")
        predictions, labels = self.stacks()
        ramp = 0.9 + 1e-4 * np.arange(12.0)[:, None] + 0.0 * labels[..., :1, :]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(predictions, tf.cast(ramp, "float32")))
        gradient = tape.gradient(loss, layer.from_labels.kernel.value)
        self.assertGreater(np.abs(gradient[0, 0, 14:]).max(), 0.0)

    def test_config(self):
        config = self.make("mixed_bfloat16").get_config()
        copy = LabelEvidence.from_config(config | {"name": "copy"})
        self.assertEqual(copy.widths, (4, 6, 5))
        self.assertEqual(copy.compute_dtype, "bfloat16")
        self.assertFalse(copy.autocast)


class DilatedConvsTest(TestCase):
    def test_reach(self):
        # One pixel further each way by the first, two by the second, one by
        # the last.
        for last, reach in ({}, 4), ({"kernel_size": 1}, 3):
            layer = DilatedConvs((2, 2), 3, last=last)
            layer.build((None, None, None, 1))
            for conv in layer.convs:
                conv.kernel.assign(tf.ones_like(conv.kernel))
            impulse = np.zeros((1, 15, 15, 1), "float32")
            impulse[0, 7, 7] = 1.0
            seen = np.nonzero(layer(impulse)[0, :, 7, 0])[0]
            self.assertEqual((seen.min(), seen.max()), (7 - reach, 7 + reach))

    def test_only_dilated_convolutions_have_an_activation(self):
        for activation, expected in (("relu", 0.0), ("linear", -1.0)):
            layer = DilatedConvs((1,), 1, activation)
            layer.build((None, None, None, 1))
            for conv in layer.convs:
                conv.kernel.assign(tf.ones_like(conv.kernel))
            layer.convs[-1].bias.assign([-0.5])
            found = layer(-tf.ones((1, 1, 1, 1)))[0, 0, 0, 0]
            self.assertAllClose(found, expected - 0.5)

    def test_the_result_is_precise(self):
        layer = DilatedConvs((2,), 3, dtype="mixed_bfloat16")
        self.assertDType(layer(np.ones((1, 4, 4, 2))), "float32")

    def test_biases_can_be_left_out(self):
        for use_bias, weights in ((True, 4), (False, 2)):
            layer = DilatedConvs((2,), 3, use_bias=use_bias)
            layer.build((None, None, None, 1))
            self.assertLen(layer.weights, weights)
