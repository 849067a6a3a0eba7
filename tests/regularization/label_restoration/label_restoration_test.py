import keras
import numpy as np
import tensorflow as tf

from jtr_keras import LabelRestoration, tasks
from jtr_keras.ops import UNMOVED
from jtr_keras.regularization.label_restoration.label_restoration import (
    hold_out,
    mean_errors,
)
from tests import toy
from tests.testing import TestCase

TERMS = ("restoration_distance", "restoration_error")
STILL = tf.constant([[UNMOVED, UNMOVED]])


def bound(**options):
    """The regularization, always with the same weights."""
    keras.utils.set_random_seed(0)
    regularization = toy.make_restoration(**options)
    regularization.bind(toy.make_tasks())
    return regularization


def make_inputs(labelled=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1))):
    """Targets, predictions, label weights, geometry and random numbers."""
    _, y_true, weights = toy.make_batch(labelled, views=2)
    batch = len(labelled)
    y_pred = toy.make_predictions(batch, views=2)
    uniform = np.random.default_rng(0).uniform(size=(batch, 4))
    geometry = tf.constant(toy.make_geometry(batch, views=2))
    return y_true, y_pred, weights, geometry, tf.constant(uniform, "float32")


def call(regularization, y_true, y_pred, labelled, geometry, uniform=None):
    return regularization(
        y_true, y_pred, labelled, geometry=geometry, uniform=uniform
    )


def step_errors(regularization):
    """Errors of each task before and after its first step."""
    reliability = regularization.reliability
    averages = (reliability.before, reliability.after)
    return [average.numpy() / 0.01 for average in averages]


class LabelRestorationTest(TestCase):
    def test_a_stride_beyond_the_image(self):
        with self.assertRaisesRegex(ValueError, r"stride.*\(16, 16\); got 32"):
            call(bound(stride=32), *make_inputs())

    def test_distance_by_hand(self):
        normals, depth = tasks.SurfaceNormals(), tasks.Depth(2.0, 1.0)
        regularization = LabelRestoration(warm_up=0)
        regularization.bind([normals, depth])
        shape = (1, 2, 16, 16)
        towards = tf.tile([[[[[0.0, 0.0, -1.0]]]]], (*shape, 1))
        sideways = tf.tile([[[[[1.0, 0.0, 0.0]]]]], (*shape, 1))
        far, near = 4.0 * tf.ones((*shape, 1)), 2.0 * tf.ones((*shape, 1))
        nearer = tf.concat([far[:, :1], near[:, 1:]], axis=1)
        inputs = (
            {"normals": towards, "depth": far},
            {"normals": sideways, "depth": nearer},
            # The label of normals is known: only depth has to learn.
            {"normals": tf.ones(1), "depth": tf.zeros(1)},
            STILL,
        )
        losses = call(regularization, *inputs)
        # Quantiles of 4 and 2 metres: Phi(2) - Phi(0), from -1 to 1.
        expected = (2 * 0.477250) ** 2
        self.assertAllClose(losses["restoration_distance"], expected, atol=1e-5)
        # The held-out label, towards, and the prediction are at right angles.
        # It counts twice: neither network has learned anything.
        self.assertAllClose(losses["restoration_error"], 2.0, atol=1e-6)
        before, after = step_errors(regularization)
        self.assertAllClose(before, [1.0, 0.0], atol=1e-5)
        self.assertAllClose(after, [1.0, 0.0], atol=1e-5)
        reliability = regularization.reliability
        for before, weight in (([1.0, 2.0], 4.0), ([2.0, 1.0], 1.0)):
            reliability.before.assign(before)
            reliability.after.assign([1.0, 1.0])
            losses = call(regularization, *inputs)
            self.assertAllClose(
                losses["restoration_distance"], weight * expected, rtol=1e-4
            )

    def test_the_first_view_is_warped_to_the_second(self):
        regularization = LabelRestoration(stride=2, warm_up=0)
        regularization.bind([tasks.Depth(2.0, 1.0), tasks.SurfaceNormals()])
        # Mirrored, then a window of eight rows from the fifth on, enlarged.
        geometry = tf.constant([[UNMOVED, (1.0, 2.0, 4.0, 0.0)]])
        depth = np.full((1, 2, 16, 16, 1), 2.0, "float32")
        depth[:, 0, 2:14, 6:] = 4.0  # Half as far where it is enlarged.
        normals = np.tile(np.float32([-0.6, 0.0, -0.8]), (1, 2, 16, 16, 1))
        normals[:, 1, ..., 0] *= -1.0
        y_pred = {"depth": tf.constant(depth), "normals": tf.constant(normals)}
        nothing = {name: tf.zeros(1) for name in y_pred}
        for seen, expected in ((geometry, 0.0), (geometry[:, ::-1], 0.5)):
            losses = call(regularization, y_pred, y_pred, nothing, seen)
            distance = losses["restoration_distance"]
            self.assertAllClose(np.minimum(distance, 0.5), expected, atol=1e-6)

    def test_no_teacher_is_required(self):
        self.assertEqual(LabelRestoration().required_inputs, ("geometry",))
        self.assertIsNone(toy.make_model(LabelRestoration()).teacher)

    def test_both_networks_have_its_widths_and_precision(self):
        regularization = bound(widths=(4, 6), dtype="mixed_bfloat16")
        for network in (regularization.denoiser, regularization.evidence):
            self.assertTrue(network.built)
            self.assertEqual(network.widths, (4, 6))
            self.assertEqual(network.compute_dtype, "bfloat16")
        self.assertEqual(regularization.reliability.num_tasks, 4)

    def test_without_a_label_there_is_nothing_to_rely_on(self):
        regularization = bound(warm_up=0)
        inputs = make_inputs(((0, 0, 0, 0),))
        before = call(regularization, *inputs)["restoration_distance"]
        regularization.reliability.before.assign([4.0] * 4)
        after = call(regularization, *inputs)["restoration_distance"]
        self.assertAllEqual(after, before)

    def test_targets_stay_in_the_joint_space(self):
        regularization = LabelRestoration(warm_up=0)
        regularization.bind([tasks.Depth(2.0, 1.0)])
        denoiser = regularization.denoiser
        denoiser.correction.convs[-1].bias.assign([5.0])
        depth = {"depth": 20.0 * tf.ones((1, 2, 16, 16, 1))}  # Its code is 1.
        losses = call(
            regularization, depth, depth, {"depth": tf.zeros(1)}, STILL
        )
        self.assertAllClose(losses["restoration_distance"], 0.0, atol=1e-6)

    def test_errors_at_a_held_out_segmentation_by_hand(self):
        regularization = LabelRestoration()
        regularization.bind([tasks.SemanticSegmentation(4)])
        shape = (1, 2, 16, 16)
        code = np.array([0.5, 0.25, 0.125, 0.125])
        logits = tf.constant(np.broadcast_to(np.log(code), (*shape, 4)))
        losses = call(
            regularization,
            {"segmentation": tf.ones((*shape, 1), "int32")},
            {"segmentation": tf.cast(logits, "float32")},
            {"segmentation": tf.ones(1)},
            STILL,
        )
        squares = 0.5**2 + 0.75**2 + 2 * 0.125**2
        entropy = np.log(4.0) / np.log(4)  # Of a probability of 1/4.
        self.assertAllClose(
            losses["restoration_error"], squares + entropy, rtol=1e-3
        )
        before, after = step_errors(regularization)
        self.assertAllClose(before, [entropy], rtol=1e-3)
        self.assertAllClose(after, [entropy], rtol=1e-3)

    def test_evidence_answers_for_what_it_adds_alone(self):
        inputs = make_inputs(((1, 1, 1, 1),))
        untrained, corrected = bound(), bound()
        call(untrained, *inputs)
        bias = corrected.denoiser.correction.convs[-1].bias
        bias.assign(0.1 * tf.ones_like(bias))
        call(corrected, *inputs)
        # The denoiser has changed predictions; evidence has changed nothing.
        before, after = step_errors(corrected)
        self.assertAllClose(before, after)
        changed = np.abs(before - step_errors(untrained)[0]).max()
        self.assertGreater(changed, 1e-3)
        # Nor does the denoiser learn from what evidence adds to it.
        found = []
        for value in (0.0, 1.0):
            kernel = corrected.evidence.from_labels.kernel
            kernel.assign(value * tf.ones_like(kernel))
            weights = corrected.denoiser.trainable_variables
            with tf.GradientTape() as tape:
                error = call(corrected, *inputs)["restoration_error"]
            gradients = tape.gradient(error, [v.value for v in weights])
            found.append((float(error), [g.numpy() for g in gradients]))
        self.assertNotAllClose(found[0][0], found[1][0])
        for first, second in zip(found[0][1], found[1][1], strict=True):
            self.assertAllClose(first, second, rtol=1e-5)
        self.assertGreater(max(np.abs(g).max() for g in found[0][1]), 1e-3)

    def test_agreement_with_untrained_networks_has_no_gradient(self):
        # They restore what was predicted, whatever the labels are.
        y_true, y_pred, labelled, *_ = make_inputs()
        still = tf.repeat(STILL, 3, axis=0)
        y_pred = {k: tf.repeat(v[:, 1:], 2, axis=1) for k, v in y_pred.items()}
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            losses = call(bound(), y_true, y_pred, labelled, still)
        gradients = tape.gradient(losses["restoration_distance"], y_pred)
        for name, gradient in gradients.items():
            self.assertAllClose(gradient, 0.0 * gradient, atol=1e-6, msg=name)
        self.assertGreater(losses["restoration_error"], 0.0)

    def test_who_learns_from_what(self):
        regularization = bound()
        inputs = make_inputs()
        y_true, y_pred, labelled, *_ = inputs
        weights = [v.value for v in regularization.trainable_variables]
        for term in TERMS:
            with tf.GradientTape() as tape:
                tape.watch(y_pred)
                losses = call(regularization, *inputs)
            to_network, to_weights = tape.gradient(
                losses[term],
                (y_pred, weights),
                unconnected_gradients="zero",
            )
            trains = (
                np.any([np.any(g) for g in to_network.values()]),
                np.any([np.any(g) for g in to_weights]),
            )
            is_distance = term == "restoration_distance"
            self.assertEqual(trains, (is_distance, not is_distance))
            for task in regularization.tasks:
                gradient = np.abs(to_network[task.name])
                self.assertEqual(gradient[:, 0].max(), 0.0)  # The first view.
                annotated = task.valid_mask(y_true[task.name][:, 1]).numpy()
                annotated *= labelled[task.name].numpy()[:, None, None, None]
                annotated[:, 1] = 0.0  # In the patches of the void row.
                self.assertEqual(np.max(gradient[:, 1] * annotated), 0.0)

    def test_void_patches_of_a_label_learn_from_the_first_view(self):
        inputs = make_inputs(((1, 1, 1, 1),))
        with tf.GradientTape() as tape:
            tape.watch(inputs[1])
            distance = call(bound(), *inputs)["restoration_distance"]
        gradient = tape.gradient(distance, inputs[1])["depth"][0, 1]
        # The first row is void, and with it the patches of the first two.
        self.assertGreater(np.abs(gradient[:2]).max(), 0.0)
        self.assertEqual(np.abs(gradient[2:]).max(), 0.0)

    def test_one_label_of_each_image_is_held_out(self):
        regularization = bound()
        network = regularization.evidence
        seen = []
        run = network.call
        network.call = lambda x, y: seen.append(y) or run(x, y)
        *inputs, _ = make_inputs(((1, 1, 0, 1), (0, 0, 0, 0)))
        # Of the third task, which has the largest number, there is no label.
        uniform = tf.constant([[0.1, 0.6, 0.9, 0.5], [0.1, 0.2, 0.3, 0.4]])
        losses = call(regularization, *inputs, uniform)
        self.assertLen(seen, 1)  # Both in one batch.
        everything, left = np.split(seen[0], 2)
        depth = 3
        self.assertEqual(np.max(left[..., depth]), 0.0)
        self.assertGreater(np.max(everything[..., depth]), 0.0)
        left, everything = (
            np.max(given[..., -4:], axis=(1, 2)) for given in (left, everything)
        )
        self.assertAllEqual(left, [[1, 0, 0, 1], [0, 0, 0, 0]])
        self.assertAllEqual(everything, [[1, 1, 0, 1], [0, 0, 0, 0]])
        before, after = step_errors(regularization)
        for errors in (before, after):
            self.assertAllEqual(np.greater(errors, 0.0), [0, 1, 0, 0])
        # Both networks learn; of depth, both errors are squares.
        self.assertAllClose(
            losses["restoration_error"], np.sum(before + after), rtol=1e-4
        )

    def test_better_targets_weigh_more(self):
        regularization = bound(warm_up=0)
        inputs = make_inputs(((0, 1, 1, 1),))
        before = call(regularization, *inputs)["restoration_distance"]
        reliability = regularization.reliability
        reliability.before.assign([3.0, 1.0, 1.0, 1.0])
        reliability.after.assign([1.5, 1.0, 1.0, 1.0])
        after = call(regularization, *inputs)["restoration_distance"]
        # The void rows of other tasks weigh as before.
        self.assertGreater(after, 2.5 * before)

    def test_labels_change_nothing_where_an_image_has_one(self):
        # The other label of an image is what evidence would be learned from.
        regularization = bound()
        weights = regularization.evidence.trainable_variables
        with tf.GradientTape() as tape:
            losses = call(regularization, *make_inputs(np.eye(4)))
        gradients = tape.gradient(
            losses["restoration_error"], [v.value for v in weights]
        )
        for gradient in gradients:
            self.assertAllEqual(gradient, tf.zeros_like(gradient))
        reliability = regularization.reliability
        self.assertAllEqual(reliability.after, reliability.before)
        self.assertAllEqual(reliability.task_weights(), np.ones(4))

    def test_one_task_alone(self):
        regularization = toy.make_restoration()
        regularization.bind(toy.make_tasks()[:1])
        *inputs, _ = make_inputs()
        losses = call(regularization, *inputs)
        self.assertGreater(losses["restoration_distance"], 0.0)

    def test_learns_what_tasks_say_of_each_other(self):
        # The network knows nothing; depth is 1 m where normals point right.
        regularization = LabelRestoration(stride=1, widths=(8, 8), warm_up=0)
        regularization.bind([tasks.SurfaceNormals(), tasks.Depth(2.0, 1.0)])
        rng = np.random.default_rng(0)
        right = rng.uniform(size=(8, 1, 4, 4, 1)) < 0.5
        normals = np.where(right, [1.0, 0.0, 0.0], [0.0, 0.0, -1.0])
        depth = np.where(right, 1.0, 3.0)
        y_true = {"normals": normals, "depth": depth}
        y_true = {
            k: tf.constant(np.repeat(v, 2, axis=1), "float32")
            for k, v in y_true.items()
        }
        labelled = {"normals": tf.ones(8), "depth": tf.ones(8)}
        blind = {
            "normals": tf.tile([[[[[0.0, 0.0, -1.0]]]]], (8, 1, 4, 4, 1)),
            "depth": 2.0 * tf.ones((8, 1, 4, 4, 1)),
        }
        y_pred = {
            k: tf.concat([blind[k], v[:, 1:]], axis=1)
            for k, v in y_true.items()
        }
        inputs = (y_true, y_pred, labelled, tf.repeat(STILL, 8, axis=0))
        optimizer = keras.optimizers.Adam(0.02)
        weights = regularization.trainable_variables

        @tf.function
        def train():
            with tf.GradientTape() as tape:
                error = call(regularization, *inputs)["restoration_error"]
            optimizer.apply(tape.gradient(error, weights), weights)

        optimizer.build(weights)
        for _ in range(150):
            train()
        labelled["depth"] = tf.zeros(8)
        losses = call(regularization, *inputs)
        # The distance of the predicted 2 m would be (2 * 0.3413)^2.
        self.assertLess(losses["restoration_distance"], 0.1 * (2 * 0.3413) ** 2)
        # Half of the error of 2 m, and more, is gone.
        self.assertAllClose(regularization.reliability.task_weights()[1], 4.0)

    def test_no_image_sees_another(self):
        inputs = make_inputs()
        together = call(bound(), *inputs)
        alone = [
            call(
                bound(),
                *tf.nest.map_structure(lambda x, i=i: x[i : i + 1], inputs),
            )
            for i in range(3)
        ]
        for term in TERMS:
            losses = [float(each[term]) for each in alone]
            self.assertGreater(min(losses), 0.0)
            self.assertAllClose(together[term], np.mean(losses), rtol=1e-4)

    def test_warm_up_grows_what_trains_the_network(self):
        growing, whole = bound(warm_up=4), bound(warm_up=0)
        inputs = make_inputs()
        for step in range(1, 6):
            found, expected = (call(r, *inputs) for r in (growing, whole))
            for term, share in zip(
                TERMS, (min(step / 4, 1.0), 1.0), strict=True
            ):
                self.assertAllClose(
                    found[term], share * expected[term], rtol=1e-4
                )

    def test_seed_decides_what_is_held_out(self):
        *inputs, _ = make_inputs(((1, 1, 1, 1),) * 3)
        found = [
            float(call(bound(seed=seed), *inputs)["restoration_error"])
            for seed in (1, 1, 2)
        ]
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])

    def test_arguments_are_checked(self):
        with self.assertRaisesRegex(ValueError, "stride.*at least 1; got 0"):
            LabelRestoration(stride=0)
        with self.assertRaisesRegex(ValueError, "warm_up.*at least 0; got -1"):
            LabelRestoration(warm_up=-1)
        with self.assertRaisesRegex(ValueError, r"weights.*got \['distance"):
            LabelRestoration(weights={"distance": 1.0})


class HoldOutTest(TestCase):
    def test_of_an_images_labels_that_with_the_largest_number(self):
        edges = [tasks.DenseRegression(name) for name in "abc"]
        labelled = {
            "a": tf.constant([1.0, 0.5, 0.0]),
            "b": tf.constant([1.0, 0.0, 0.0]),
            "c": tf.constant([0.0, 1.0, 0.0]),
        }
        uniform = tf.constant([[0.2, 0.1, 0.9], [0.3, 0.8, 0.4], [0.5] * 3])
        held_out = [np.ravel(x) for x in hold_out(edges, labelled, uniform)]
        self.assertAllEqual(held_out, [[1, 0, 0], [0, 0, 0], [0, 1, 0]])

    def test_mean_errors_are_over_all_patches(self):
        where = tf.reshape([1.0, 0.0, 1.0, 1.0], (1, 2, 2, 1))
        errors = tf.reshape([1.0, 2.0, 3.0, 4.0], (1, 2, 2, 1))
        found = mean_errors([where, 0.0 * where], [errors, errors])
        self.assertAllClose(found, [[2.0, 0.0]])
