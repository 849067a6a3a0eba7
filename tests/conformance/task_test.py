"""Laws that every task obeys; a registered one is a row."""

import inspect
import json

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from keras import ops

from jtr_keras import tasks
from jtr_keras.regularization.common.encoding import encode_targets
from jtr_keras.regularization.cross_task.task_pairs import (
    relative_predictions,
    relative_targets,
)
from jtr_keras.regularization.joint_task.reconstruction import (
    reconstruction_error,
    similarity_offset,
)
from jtr_keras.regularization.label_restoration.stacks import (
    restoration_error,
    with_evidence,
)
from jtr_keras.regularization.pseudo_labels import confidence_mask
from jtr_keras.regularization.task_prototypes import soft_bins
from jtr_keras.visualization import paint
from tests.testing import TestCase

SHAPE = (2, 4, 6)  # batch, height, width

OPTIONS = {  # Where a name is not here, the defaults.
    "depth": {"mean": 2.0, "stddev": 1.5},
    "segmentation": {"num_classes": 3, "class_names": "abc"},
    "normals": {"name": "n"},
    "regression": {
        "name": "r",
        "channels": 2,
        "minimum": -1.0,
        "maximum": 3.0,
    },
}
WRONG = {"depth": -1.0, "disparity": np.nan, "segmentation": 3, "normals": 0.3}
"""An annotation that is wrong; by default one that is out of bounds."""


@keras.saving.register_keras_serializable(package="tests")
class Binary(tasks.Task):
    """The least that a user has to write; predictions are logits."""

    def __init__(self, name="binary"):
        super().__init__(name, tasks.UnitInterval(from_logits=True))

    def error(self, targets, predictions):
        return ops.binary_crossentropy(targets, predictions, from_logits=True)


def rows():
    """Name, task and a wrong annotation or None."""
    made = {
        name: tasks.TASKS.make(name, OPTIONS.get(name)) for name in tasks.TASKS
    }
    made["disparity"] = tasks.Depth(2.0, 1.0, inverse=True, name="d")
    made["binary"] = Binary()
    for name, task in made.items():
        bounds = task.codec.bounds
        yield name, task, WRONG.get(name, bounds and bounds[1] + 0.5)


TASKS = list(rows())


class TaskConformanceTest(TestCase):
    @parameterized.named_parameters(*TASKS)
    def test_serialization(self, task, wrong):
        self.run_class_serialization_test(task)
        # The config tells the truth, not just the same.
        arguments = inspect.signature(type(task)).parameters
        self.assertEqual(
            task.get_config(), {name: getattr(task, name) for name in arguments}
        )

    @parameterized.named_parameters(*TASKS)
    def test_names_are_keys_of_logs(self, task, wrong):
        config = task.get_config()
        for name in ("", "a/b"):
            with self.assertRaisesRegex(ValueError, "`name` must be"):
                task.from_config(config | {"name": name})

    @parameterized.named_parameters(*TASKS)
    def test_void_is_void_and_the_rest_is_annotated(self, task, wrong):
        targets, _ = batch(task)
        self.assertEqual(targets.dtype, task.target_dtype)
        mask = task.valid_mask(targets)
        self.assertEqual(mask.shape, (*SHAPE, 1))
        self.assertDType(mask, "float32")
        self.assertAllEqual(mask[:, 0], np.zeros((2, 6, 1)))
        self.assertAllEqual(mask[:, 1:], np.ones((2, 3, 6, 1)))

    @parameterized.named_parameters(*TASKS)
    def test_void_pixels_have_no_influence_on_the_loss(self, task, wrong):
        targets, predictions = batch(task)
        loss, gradient = loss_and_gradient(task, targets, predictions)
        self.assertEqual(loss.shape, SHAPE[:1])
        self.assertAllEqual(gradient[:, 0], np.zeros_like(gradient[:, 0]))
        self.assertGreater(np.abs(gradient[:, 1:]).min(), 0.0)
        # Nor do they dilute it.
        expected = task.loss(targets[:, 1:], predictions[:, 1:])
        self.assertAllClose(loss, expected)
        self.assertGreater(np.min(loss), 0.0)

    @parameterized.named_parameters(*TASKS)
    def test_void_pixels_have_no_influence_on_metrics(self, task, wrong):
        targets, predictions = batch(task)
        values = task.codec.values(predictions)
        whole, cut = task.metrics(), task.metrics()
        update(task, whole, targets, values)
        update(task, cut, targets[:, 1:], values[:, 1:])
        self.assertAllClose(results(whole), results(cut))
        # A wild prediction there changes nothing; elsewhere it would.
        wild = values.numpy()
        wild[:, 0] = -wild[:, 0] * 100.0
        update(task, whole, targets, tf.constant(wild))
        update(task, cut, targets[:, 1:], values[:, 1:])
        self.assertAllClose(results(whole), results(cut))

    @parameterized.named_parameters(*TASKS)
    def test_nan_and_infinity_are_void_and_never_leak(self, task, wrong):
        targets, predictions = batch(task)
        if task.target_dtype != "float32":
            self.skipTest("Integers are always finite.")
        expected = loss_and_gradient(task, targets, predictions)
        for rubbish in (np.nan, np.inf, -np.inf):
            spoilt = targets.numpy()
            spoilt[:, 0] = rubbish
            loss, gradient = loss_and_gradient(task, spoilt, predictions)
            self.assertAllClose(loss, expected[0])
            self.assertAllClose(gradient, expected[1])
            self.assertAllClose(
                encode_targets(task, spoilt), encode_targets(task, targets)
            )

    @parameterized.named_parameters(*TASKS)
    def test_nothing_annotated_is_no_loss_and_no_gradient(self, task, wrong):
        targets, predictions = batch(task)
        nothing = void(task, targets)
        loss, gradient = loss_and_gradient(task, nothing, predictions)
        self.assertAllEqual(loss, [0.0, 0.0])
        self.assertAllEqual(gradient, np.zeros_like(gradient))

    @parameterized.named_parameters(*TASKS)
    def test_joint_space_is_the_unit_interval(self, task, wrong):
        targets, predictions = batch(task)
        for code in (
            encode_targets(task, targets),
            task.codec.encode_predictions(predictions),
        ):
            self.assertEqual(code.shape, (*SHAPE, task.channels))
            self.assertDType(code, "float32")
            self.assertBetween(np.min(code), 0.0, 1.0)
            self.assertBetween(np.max(code), 0.0, 1.0)
            self.assertGreater(np.std(code), 0.1)  # It tells values apart.

    @parameterized.named_parameters(*TASKS)
    def test_void_has_the_empty_code(self, task, wrong):
        targets, _ = batch(task)
        code = encode_targets(task, targets)
        self.assertAllClose(
            code[:, 0], np.full_like(code[:, 0], task.codec.empty)
        )

    @parameterized.named_parameters(*TASKS)
    def test_predictions_agree_with_their_targets(self, task, wrong):
        _, predictions = batch(task)
        targets = task.codec.to_targets(predictions)
        # Those that are no annotation, such as negative depths, are void.
        valid = task.valid_mask(targets)
        self.assertEqual(valid.shape, (*SHAPE, 1))
        self.assertGreater(np.mean(valid), 0.5)
        own = task.loss(targets, predictions)
        flipped = task.loss(targets, predictions[:, ::-1])
        self.assertLess(np.max(own - flipped), 0.0)

    @parameterized.named_parameters(*TASKS)
    def test_confidence_mask_is_a_matter_of_degree(self, task, wrong):
        _, predictions = batch(task)
        others = predictions[:, ::-1]
        shares = [
            np.mean(
                confidence_mask(task.codec, predictions, others, 1.0 - x, x)
            )
            for x in (0.0, 0.25, 1.0)
        ]
        self.assertEqual((shares[0], shares[2]), (0.0, 1.0))
        self.assertBetween(shares[1], 0.05, 0.95)
        mask = confidence_mask(task.codec, predictions, others, 0.5, 0.1)
        self.assertEqual(mask.shape, (*SHAPE, 1))
        self.assertDType(mask, "float32")

    @parameterized.named_parameters(*TASKS)
    def test_soft_bins_tell_codes_apart(self, task, wrong):
        code = task.codec.encode_predictions(batch(task)[1])
        bins = soft_bins(task.codec, code, 5)
        self.assertEqual(bins.shape[:3], SHAPE)
        self.assertAllClose(np.sum(bins, axis=-1), np.ones(bins.shape[:-1]))
        self.assertGreaterEqual(np.min(bins), 0.0)
        self.assertGreater(np.std(bins, axis=0).max(), 0.1)

    @parameterized.named_parameters(*TASKS)
    def test_evidence_moves_codes(self, task, wrong):
        targets, predictions = batch(task)
        code = task.codec.encode_predictions(predictions)
        zero = tf.zeros_like(code)
        self.assertAllClose(
            with_evidence(task.codec, code, zero), code, atol=2e-3
        )
        # A step down the gradient of the error is evidence of the target.
        wanted = encode_targets(task, targets)
        with tf.GradientTape() as tape:
            tape.watch(zero)
            moved = with_evidence(task.codec, code, zero)
            error = restoration_error(task.codec, wanted, moved)
        self.assertEqual(error.shape, (*SHAPE, 1))
        better = with_evidence(
            task.codec, code, -0.1 * tape.gradient(error, zero)
        )
        self.assertLess(
            np.mean(restoration_error(task.codec, wanted, better)),
            0.99 * np.mean(error),
        )

    @parameterized.named_parameters(*TASKS)
    def test_prediction_error_is_smallest_at_the_code(self, task, wrong):
        predictions = batch(task)[1]
        code = task.codec.encode_predictions(predictions)
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            error = task.codec.prediction_error(code, predictions)
        self.assertEqual(error.shape, (*SHAPE, 1))
        gradient = tape.gradient(error, predictions)
        self.assertAllClose(gradient, tf.zeros_like(gradient), atol=1e-5)
        others = task.codec.prediction_error(code, tf.reverse(predictions, [2]))
        self.assertGreater(np.mean(others), np.mean(error))

    @parameterized.named_parameters(*TASKS)
    def test_relative_codes(self, task, wrong):
        targets, predictions = batch(task)
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            predicted = relative_predictions(task.codec, predictions)
            squares = predicted**2
        gradient = tape.gradient(squares, predictions)
        self.assertGreater(np.abs(gradient).mean(), 0.0)
        for code in (predicted, relative_targets(task.codec, task, targets)):
            self.assertEqual(code.shape, (*SHAPE, task.channels))
            self.assertDType(code, "float32")
            self.assertLessEqual(np.max(code), 1.0)
            self.assertGreater(np.std(code), 0.1)
        # What no annotation holds has no influence.
        nothing = tf.constant(void(task, targets))
        code = relative_targets(task.codec, task, nothing)
        self.assertAllEqual(code, tf.ones_like(code) * code[0, 0, 0, 0])

    @parameterized.named_parameters(*TASKS)
    def test_perfect_reconstruction_is_better_than_another(self, task, wrong):
        # In the raw outputs of the autoencoder, before any squashing.
        code = encode_targets(task, batch(task)[0][:, 1:])
        squashed = np.clip(code, 1e-4, 1.0 - 1e-4)
        logits = np.log(squashed / (1.0 - squashed))
        if similarity_offset(task.codec):
            logits = 2.0 * squashed - 1.0  # Directions, not probabilities.
        good = reconstruction_error(
            task.codec, code, tf.constant(logits, "float32")
        )
        bad = reconstruction_error(
            task.codec, code, tf.constant(-logits, "float32")
        )
        self.assertEqual(good.shape, (2, 3, 6, 1))
        self.assertAllClose(good, np.zeros_like(good), atol=2e-3)
        self.assertGreater(np.mean(bad), 0.1)

    @parameterized.named_parameters(*TASKS)
    def test_similarity_offset_is_the_error_of_no_similarity(self, task, wrong):
        targets, predictions = batch(task)
        targets = task.zero_void(targets[:, 1:])
        error = task.error(targets, predictions[:, 1:])
        self.assertEqual(error.shape, (2, 3, 6, 1))
        if similarity_offset(task.codec):
            error = task.error(targets, 0.0 * predictions[:, 1:])
            self.assertAllClose(
                error, np.full_like(error, similarity_offset(task.codec))
            )
        else:  # A distance: nothing to take off.
            code = encode_targets(task, targets)
            decoded = reconstruction_error(task.codec, code, 0.0 * code)
            self.assertGreaterEqual(np.min(error), 0.0)
            self.assertGreaterEqual(np.min(decoded), 0.0)

    @parameterized.named_parameters(*TASKS)
    def test_flip_twice_is_the_identity(self, task, wrong):
        targets, _ = batch(task)
        flipped = task.flip(targets)
        self.assertEqual(flipped.dtype, targets.dtype)
        self.assertAllEqual(task.flip(flipped), targets)
        self.assertAllEqual(task.valid_mask(flipped), task.valid_mask(targets))

    @parameterized.named_parameters(*TASKS)
    def test_rescale_and_back_is_the_identity(self, task, wrong):
        targets, _ = batch(task)
        larger = task.rescale(targets, tf.constant(1.6))
        self.assertEqual(larger.dtype, targets.dtype)
        self.assertAllClose(task.rescale(larger, tf.constant(1 / 1.6)), targets)
        self.assertAllEqual(task.valid_mask(larger), task.valid_mask(targets))

    @parameterized.named_parameters(*TASKS)
    def test_projection_changes_no_good_target(self, task, wrong):
        targets, _ = batch(task)
        self.assertAllClose(task.codec.project(targets), targets)

    @parameterized.named_parameters(*TASKS)
    def test_the_primary_metric_is_one(self, task, wrong):
        names = [metric.name for metric in task.metrics()]
        self.assertIn(task.primary_metric, names)
        self.assertLen(set(names), len(names))
        self.assertGreater(task.default_baseline, 0.0)
        # Fresh ones each time, lest two models share their state.
        for first, second in zip(task.metrics(), task.metrics(), strict=True):
            self.assertIsNot(first, second)

    @parameterized.named_parameters(*TASKS)
    def test_higher_is_better_tells_the_truth(self, task, wrong):
        targets, predictions = batch(task)
        good, bad = task.metrics(), task.metrics()
        if task.codec.sampled:
            perfect = 9.0 * encode_targets(task, targets)
        else:
            perfect = task.zero_void(targets)
        update(task, good, targets, perfect)
        update(task, bad, targets, task.codec.values(predictions))
        primary = [m.name for m in good].index(task.primary_metric)
        better = results(good)[primary] > results(bad)[primary]
        self.assertEqual(better, task.higher_is_better)

    @parameterized.named_parameters(*TASKS)
    def test_colours(self, task, wrong):
        targets, predictions = batch(task)
        picture = paint(task, targets[0].numpy())
        self.assertEqual(picture.dtype, np.uint8)
        self.assertEqual(picture.shape, (4, 6, 3))
        self.assertAllEqual(picture[0], np.zeros((6, 3)))
        # Neither black nor all the same where annotated.
        self.assertGreater(picture[1:].max(axis=-1).min(), 0)
        self.assertGreater(
            len(np.unique(picture[1:].reshape(-1, 3), axis=0)), 1
        )
        picture = paint(task, predictions[0].numpy(), predicted=True)
        self.assertEqual(picture.dtype, np.uint8)
        self.assertEqual(picture.shape, (4, 6, 3))
        self.assertGreater(picture.max(axis=-1).min(), 0)

    @parameterized.named_parameters(*TASKS)
    def test_small_integers_keep_the_picture(self, task, wrong):
        _, predictions = batch(task)
        quantization = task.codec.quantization
        integers = task.codec.quantize(predictions)
        self.assertEqual(integers.dtype, quantization.dtype)
        self.assertIn(integers.dtype, (tf.uint8, tf.uint16))
        self.assertEqual(integers.shape, (*SHAPE, task.target_channels))
        targets = quantization.dequantize(integers.numpy())
        self.assertAllEqual(quantization.quantize(targets), integers)
        kept = np.all(integers[0] > 0, axis=-1)  # 0 stands for what is less.
        self.assertGreater(np.sum(kept), 5)
        self.assertAllClose(
            task.to_rgb(targets[0])[kept].astype(int),
            paint(task, predictions[0], predicted=True)[kept].astype(int),
            atol=2,
        )

    @parameterized.named_parameters(*TASKS)
    def test_description_tells_the_truth(self, task, wrong):
        _, predictions = batch(task)
        told = json.loads(json.dumps(task.describe()))
        self.assertIn("unit", told)
        self.assertTrue(told["prediction"])
        low, high = told["range"] or (-np.inf, np.inf)
        self.assertBetween(np.min(predictions), low, high)
        self.assertBetween(np.max(predictions), low, high)

    @parameterized.named_parameters(*TASKS)
    def test_check(self, task, wrong):
        targets = batch(task)[0].numpy()
        self.assertIsNone(task.check(targets))
        self.assertIsNone(task.check(void(task, targets)))
        if wrong is None:
            self.skipTest("Any number is right.")
        targets[1, 2, 3] = wrong
        self.assertRegex(task.check(targets), "must .*; found ")

    @parameterized.named_parameters(*TASKS)
    def test_jit_compiles(self, task, wrong):
        def functions(targets, predictions):
            code = encode_targets(task, targets)
            return (
                task.loss(targets, predictions),
                code,
                task.codec.encode_predictions(predictions),
                reconstruction_error(task.codec, code, predictions),
                task.codec.distance(
                    code, task.codec.encode_predictions(predictions)
                ),
                task.codec.prediction_error(code, predictions),
                restoration_error(task.codec, code, code),
                with_evidence(task.codec, code, code),
                task.codec.to_targets(predictions),
                soft_bins(task.codec, code, 5),
                confidence_mask(
                    task.codec, predictions, -predictions, 0.5, 0.2
                ),
                task.flip(targets),
                task.rescale(targets, tf.constant(1.5)),
                task.codec.project(targets),
                task.codec.quantize(predictions),
            )

        compiled = tf.function(functions, jit_compile=True)
        for actual, expected in zip(
            compiled(*batch(task)), functions(*batch(task)), strict=True
        ):
            self.assertAllClose(actual, expected, atol=1e-5)

    @parameterized.named_parameters(*TASKS)
    def test_activation_keeps_shape_and_dtype(self, task, wrong):
        rng = np.random.default_rng(0)
        logits = rng.normal(size=(*SHAPE, task.channels))
        for dtype in ("float16", "float32", "float64"):
            activated = task.activate(tf.constant(logits, dtype))
            self.assertEqual(activated.shape, logits.shape)
            self.assertDType(activated, dtype)


class CoverageTest(TestCase):
    def test_every_public_task_is_registered(self):
        public = {
            value
            for value in vars(tasks).values()
            if inspect.isclass(value)
            and issubclass(value, tasks.Task)
            and not inspect.isabstract(value)
        }
        self.assertLessEqual(public, set(tasks.TASKS.values()))

    def test_every_task_is_registered_with_keras(self):
        for _, task, _ in TASKS:
            name = keras.saving.get_registered_name(type(task))
            self.assertIs(keras.saving.get_registered_object(name), type(task))


def batch(task):
    """Random targets, void in the first row, and predictions."""
    rng = np.random.default_rng(0)
    # Values that make sense come from what every task can do: predict.
    logits = rng.normal(size=(2, *SHAPE, task.channels))
    predicted, other = task.activate(tf.constant(logits, "float32"))
    targets = task.codec.to_targets(predicted)
    targets = np.where(task.valid_mask(targets), targets, -targets)
    targets = targets.astype(task.target_dtype)
    targets[:, 0] = task.void
    return tf.constant(targets), other


def void(task, targets):
    """The same without any annotation."""
    return np.full(targets.shape, task.void, task.target_dtype)


def loss_and_gradient(task, targets, predictions):
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = task.loss(tf.constant(targets), predictions)
    return loss, tape.gradient(loss, predictions).numpy()


def update(task, metrics, targets, values):
    """As the model does it."""
    mask = keras.ops.squeeze(task.valid_mask(targets), axis=-1)
    for metric in metrics:
        metric.update_state(task.zero_void(targets), values, sample_weight=mask)


def results(metrics):
    return [float(metric.result()) for metric in metrics]
