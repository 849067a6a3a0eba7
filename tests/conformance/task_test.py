"""Laws that every task obeys; a new task adds one row to `TASKS`."""

import inspect
import json

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import tasks
from tests.testing import TestCase

SHAPE = (2, 4, 6)  # batch, height, width

TASKS = (  # name, task, an annotation that is wrong
    ("depth", tasks.Depth(mean=2.0, stddev=1.5), -1.0),
    ("disparity", tasks.Depth(2.0, 1.0, inverse=True, name="d"), np.nan),
    ("segmentation", tasks.SemanticSegmentation(3, class_names="abc"), 3),
    ("normals", tasks.SurfaceNormals(name="n"), 0.3),
    ("regression", tasks.DenseRegression("r", 2, -1.0, 3.0), 3.5),
)


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
    def test_placeholder_is_void_and_the_rest_is_annotated(self, task, wrong):
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
        whole, cut = task.metrics(), task.metrics()
        update(task, whole, targets, predictions)
        update(task, cut, targets[:, 1:], predictions[:, 1:])
        self.assertAllClose(results(whole), results(cut))
        # A wild prediction there changes nothing; elsewhere it would.
        wild = predictions.numpy()
        wild[:, 0] = -wild[:, 0] * 100.0
        update(task, whole, targets, tf.constant(wild))
        update(task, cut, targets[:, 1:], predictions[:, 1:])
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
                task.encode_targets(spoilt), task.encode_targets(targets)
            )

    @parameterized.named_parameters(*TASKS)
    def test_nothing_annotated_is_no_loss_and_no_gradient(self, task, wrong):
        targets, predictions = batch(task)
        nothing = task.placeholder(targets.shape)
        loss, gradient = loss_and_gradient(task, nothing, predictions)
        self.assertAllEqual(loss, [0.0, 0.0])
        self.assertAllEqual(gradient, np.zeros_like(gradient))

    @parameterized.named_parameters(*TASKS)
    def test_joint_space_is_the_unit_interval(self, task, wrong):
        targets, predictions = batch(task)
        for code in (
            task.encode_targets(targets),
            task.encode_predictions(predictions),
        ):
            self.assertEqual(code.shape, (*SHAPE, task.channels))
            self.assertDType(code, "float32")
            self.assertBetween(np.min(code), 0.0, 1.0)
            self.assertBetween(np.max(code), 0.0, 1.0)
            self.assertGreater(np.std(code), 0.1)  # It tells values apart.

    @parameterized.named_parameters(*TASKS)
    def test_void_has_the_empty_code(self, task, wrong):
        targets, _ = batch(task)
        code = task.encode_targets(targets)
        self.assertAllClose(
            code[:, 0], np.full_like(code[:, 0], task.empty_code)
        )

    @parameterized.named_parameters(*TASKS)
    def test_predictions_agree_with_their_pseudo_targets(self, task, wrong):
        _, predictions = batch(task)
        targets = task.pseudo_targets(predictions)
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
            np.mean(task.confidence_mask(predictions, others, 1.0 - x, x))
            for x in (0.0, 0.25, 1.0)
        ]
        self.assertEqual((shares[0], shares[2]), (0.0, 1.0))
        self.assertBetween(shares[1], 0.05, 0.95)
        mask = task.confidence_mask(predictions, others, 0.5, 0.1)
        self.assertEqual(mask.shape, (*SHAPE, 1))
        self.assertDType(mask, "float32")

    @parameterized.named_parameters(*TASKS)
    def test_quantize_tells_codes_apart(self, task, wrong):
        code = task.encode_predictions(batch(task)[1])
        bins = task.quantize(code, 5)
        self.assertEqual(bins.shape[:3], SHAPE)
        self.assertAllClose(np.sum(bins, axis=-1), np.ones(bins.shape[:-1]))
        self.assertGreaterEqual(np.min(bins), 0.0)
        self.assertGreater(np.std(bins, axis=0).max(), 0.1)

    @parameterized.named_parameters(*TASKS)
    def test_evidence_moves_codes(self, task, wrong):
        targets, predictions = batch(task)
        code = task.encode_predictions(predictions)
        zero = tf.zeros_like(code)
        self.assertAllClose(task.with_evidence(code, zero), code, atol=2e-3)
        # A step down the gradient of the error is evidence of the target.
        wanted = task.encode_targets(targets)
        with tf.GradientTape() as tape:
            tape.watch(zero)
            moved = task.with_evidence(code, zero)
            error = task.restoration_error(wanted, moved)
        self.assertEqual(error.shape, (*SHAPE, 1))
        better = task.with_evidence(code, -0.1 * tape.gradient(error, zero))
        self.assertLess(
            np.mean(task.restoration_error(wanted, better)),
            0.99 * np.mean(error),
        )

    @parameterized.named_parameters(*TASKS)
    def test_soft_error_is_smallest_at_the_code(self, task, wrong):
        predictions = batch(task)[1]
        code = task.encode_predictions(predictions)
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            error = task.soft_error(code, predictions)
        self.assertEqual(error.shape, (*SHAPE, 1))
        gradient = tape.gradient(error, predictions)
        self.assertAllClose(gradient, tf.zeros_like(gradient), atol=1e-5)
        others = task.soft_error(code, tf.reverse(predictions, [2]))
        self.assertGreater(np.mean(others), np.mean(error))

    @parameterized.named_parameters(*TASKS)
    def test_relative_codes(self, task, wrong):
        targets, predictions = batch(task)
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            predicted = task.relative_predictions(predictions)
            squares = predicted**2
        gradient = tape.gradient(squares, predictions)
        self.assertGreater(np.abs(gradient).mean(), 0.0)
        for code in (predicted, task.relative_targets(targets)):
            self.assertEqual(code.shape, (*SHAPE, task.channels))
            self.assertDType(code, "float32")
            self.assertLessEqual(np.max(code), 1.0)
            self.assertGreater(np.std(code), 0.1)
        # What no annotation holds has no influence.
        nothing = task.placeholder(targets.shape)
        code = task.relative_targets(tf.constant(nothing))
        self.assertAllEqual(code, tf.ones_like(code) * code[0, 0, 0, 0])

    @parameterized.named_parameters(*TASKS)
    def test_perfect_reconstruction_is_better_than_another(self, task, wrong):
        # In the raw outputs of the autoencoder, before any squashing.
        code = task.encode_targets(batch(task)[0][:, 1:])
        squashed = np.clip(code, 1e-4, 1.0 - 1e-4)
        logits = np.log(squashed / (1.0 - squashed))
        if task.similarity_offset:
            logits = 2.0 * squashed - 1.0  # Directions, not probabilities.
        good = task.reconstruction_error(code, tf.constant(logits, "float32"))
        bad = task.reconstruction_error(code, tf.constant(-logits, "float32"))
        self.assertEqual(good.shape, (2, 3, 6, 1))
        self.assertAllClose(good, np.zeros_like(good), atol=2e-3)
        self.assertGreater(np.mean(bad), 0.1)

    @parameterized.named_parameters(*TASKS)
    def test_similarity_offset_is_the_error_of_no_similarity(self, task, wrong):
        targets, predictions = batch(task)
        targets = task.clean(targets[:, 1:])
        error = task.error(targets, predictions[:, 1:])
        self.assertEqual(error.shape, (2, 3, 6, 1))
        if task.similarity_offset:
            error = task.error(targets, 0.0 * predictions[:, 1:])
            self.assertAllClose(
                error, np.full_like(error, task.similarity_offset)
            )
        else:  # A distance: nothing to take off.
            code = task.encode_targets(targets)
            decoded = task.reconstruction_error(code, 0.0 * code)
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
    def test_renormalize_changes_no_good_target(self, task, wrong):
        targets, _ = batch(task)
        self.assertAllClose(task.renormalize(targets), targets)

    @parameterized.named_parameters(*TASKS)
    def test_the_headline_is_a_metric(self, task, wrong):
        names = [metric.name for metric in task.metrics()]
        self.assertIn(task.headline, names)
        self.assertLen(set(names), len(names))
        self.assertGreater(task.default_baseline, 0.0)
        # Fresh ones each time, lest two models share their state.
        for first, second in zip(task.metrics(), task.metrics(), strict=True):
            self.assertIsNot(first, second)

    @parameterized.named_parameters(*TASKS)
    def test_higher_is_better_tells_the_truth(self, task, wrong):
        targets, predictions = batch(task)
        good, bad = task.metrics(), task.metrics()
        if task.sampled:
            perfect = 9.0 * task.encode_targets(targets)
        else:
            perfect = task.clean(targets)
        update(task, good, targets, perfect)
        update(task, bad, targets, predictions)
        headline = [m.name for m in good].index(task.headline)
        better = results(good)[headline] > results(bad)[headline]
        self.assertEqual(better, task.higher_is_better)

    @parameterized.named_parameters(*TASKS)
    def test_draw(self, task, wrong):
        targets, predictions = batch(task)
        picture = task.draw(targets[0].numpy(), predicted=False)
        self.assertEqual(picture.dtype, np.uint8)
        self.assertEqual(picture.shape, (4, 6, 3))
        self.assertAllEqual(picture[0], np.zeros((6, 3)))
        # Neither black nor all the same where annotated.
        self.assertGreater(picture[1:].max(axis=-1).min(), 0)
        self.assertGreater(
            len(np.unique(picture[1:].reshape(-1, 3), axis=0)), 1
        )
        picture = task.draw(predictions[0].numpy(), predicted=True)
        self.assertEqual(picture.dtype, np.uint8)
        self.assertEqual(picture.shape, (4, 6, 3))
        self.assertGreater(picture.max(axis=-1).min(), 0)

    @parameterized.named_parameters(*TASKS)
    def test_small_answers_keep_the_picture(self, task, wrong):
        _, predictions = batch(task)
        codes = task.compact(predictions)
        self.assertIn(codes.dtype, (tf.uint8, tf.uint16))
        self.assertEqual(codes.shape[:-1], predictions.shape[:-1])
        expanded = task.expand(codes.numpy())
        self.assertEqual(expanded.dtype, np.float32)
        self.assertEqual(expanded.shape, predictions.shape)
        self.assertAllEqual(task.compact(expanded), codes)
        kept = np.all(codes[0] > 0, axis=-1)  # 0 may stand for what is less.
        self.assertGreater(np.sum(kept), 5)
        self.assertAllClose(
            task.draw(expanded[0], predicted=True)[kept].astype(int),
            task.draw(predictions[0].numpy(), predicted=True)[kept].astype(int),
            atol=2,
        )

    @parameterized.named_parameters(*TASKS)
    def test_description_tells_the_truth(self, task, wrong):
        _, predictions = batch(task)
        told = json.loads(json.dumps(task.describe()))
        dtype = task.compact(predictions).dtype.name
        self.assertEqual(told["compact"]["dtype"], dtype)
        self.assertIn("unit", told)
        self.assertTrue(told["prediction"])
        low, high = told["range"] or (-np.inf, np.inf)
        self.assertBetween(np.min(predictions), low, high)
        self.assertBetween(np.max(predictions), low, high)
        codes = task.compact(predictions).numpy().astype(float)
        values = told["compact"]["offset"] + told["compact"]["scale"] * codes
        meant = task.expand(task.compact(predictions).numpy())
        if task.sampled:
            meant = np.argmax(meant, axis=-1)[..., None]
        self.assertAllClose(values, meant, atol=1e-5)

    @parameterized.named_parameters(*TASKS)
    def test_check(self, task, wrong):
        targets = batch(task)[0].numpy()
        self.assertIsNone(task.check(targets))
        self.assertIsNone(task.check(task.placeholder(targets.shape)))
        targets[1, 2, 3] = wrong
        self.assertRegex(task.check(targets), "must .*; found ")

    @parameterized.named_parameters(*TASKS)
    def test_jit_compiles(self, task, wrong):
        def functions(targets, predictions):
            code = task.encode_targets(targets)
            return (
                task.loss(targets, predictions),
                code,
                task.encode_predictions(predictions),
                task.reconstruction_error(code, predictions),
                task.code_error(code, task.encode_predictions(predictions)),
                task.soft_error(code, predictions),
                task.restoration_error(code, code),
                task.with_evidence(code, code),
                task.pseudo_targets(predictions),
                task.quantize(code, 5),
                task.confidence_mask(predictions, -predictions, 0.5, 0.2),
                task.flip(targets),
                task.rescale(targets, tf.constant(1.5)),
                task.renormalize(targets),
                task.compact(predictions),
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
    def test_every_public_task_is_listed(self):
        public = {
            value
            for value in vars(tasks).values()
            if inspect.isclass(value) and not inspect.isabstract(value)
        }
        self.assertEqual(public, {type(task) for _, task, _ in TASKS})

    def test_every_task_is_registered(self):
        for _, task, _ in TASKS:
            name = type(task).__name__
            self.assertEqual(
                keras.saving.get_registered_name(type(task)),
                f"jtr_keras>{name}",
            )


def batch(task):
    """Random targets, void in the first row, and predictions."""
    rng = np.random.default_rng(0)
    # Values that make sense come from what every task can do: predict.
    logits = rng.normal(size=(2, *SHAPE, task.channels))
    predicted, other = task.activate(tf.constant(logits, "float32"))
    if task.sampled:
        targets = np.argmax(predicted, axis=-1)[..., None]
    else:
        targets = np.where(task.valid_mask(predicted), predicted, -predicted)
    targets = targets.astype(task.target_dtype)
    targets[:, 0] = task.placeholder(targets[:, 0].shape)
    return tf.constant(targets), other


def loss_and_gradient(task, targets, predictions):
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = task.loss(tf.constant(targets), predictions)
    return loss, tape.gradient(loss, predictions).numpy()


def update(task, metrics, targets, predictions):
    """As the model does it."""
    mask = keras.ops.squeeze(task.valid_mask(targets), axis=-1)
    for metric in metrics:
        metric.update_state(
            task.clean(targets), predictions, sample_weight=mask
        )


def results(metrics):
    return [float(metric.result()) for metric in metrics]
