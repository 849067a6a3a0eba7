import keras
import numpy as np
import tensorflow as tf

from jtr_keras import JointTaskRegularization, tasks
from jtr_keras.ops import UNMOVED
from jtr_keras.regularization.label_restoration.stacks import CoarseStacks
from jtr_keras.regularization.joint_objective import Batch
from jtr_keras.regularization.label_restoration.label_restoration import (
    ALONE,
    HIDING,
    TOGETHER,
)
from tests import toy
from tests.testing import TestCase

TERMS = ("distance", "reconstruction")


def bound(**options):
    """The regularization, always with the same weights."""
    keras.utils.set_random_seed(0)
    usual = {"widths": (4, 4), "stride": 2, "seed": 1}
    regularization = JointTaskRegularization(**(usual | options))
    regularization.bind(toy.make_tasks())
    return regularization


def inputs(regularization, labelled=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1))):
    """Targets, predictions, label weights, random numbers and extras."""
    _, y_true, weights = toy.make_batch(labelled, views=2)
    batch = len(labelled)
    y_pred = toy.make_predictions(batch, views=2)
    uniform = np.random.default_rng(0).uniform(size=(batch, 4))
    noise = {HIDING: tf.constant(uniform, "float32")}
    extras = toy.make_extras(regularization, batch, views=2)
    return (y_true, y_pred, weights, noise), extras


class RestoringObjectiveTest(TestCase):
    def test_images_that_are_no_whole_number_of_cells(self):
        ramp = tf.range(18.0)[:, None] / 18.0
        first = tf.tile(ramp[None, None, None], (1, 1, 16, 1, 1))
        maps = {"edges": tf.concat([first, first[..., ::-1, :]], axis=1)}
        geometry = tf.constant([[UNMOVED, (1.0, 1.0, 0.0, 0.0)]])
        batch = Batch(
            maps, maps, {"edges": tf.ones(1)}, {}, {"geometry": geometry}
        )
        edges = tasks.DenseRegression("edges")
        stacks = CoarseStacks.of([edges], batch, stride=4)
        # The first cell shows pixels that made none in the first view.
        found, expected = stacks.first_view[0], stacks.predictions[0]
        self.assertAllClose(found[:, :, 1:], expected[:, :, 1:], atol=1e-5)

    def test_a_stride_beyond_the_image(self):
        regularization = bound(stride=32)
        arguments, extras = inputs(regularization)
        with self.assertRaisesRegex(ValueError, r"stride.*\(16, 16\); got 32"):
            regularization(*arguments, **extras)

    def test_distance_by_hand(self):
        normals, depth = tasks.SurfaceNormals(), tasks.Depth(2.0, 1.0)
        regularization = JointTaskRegularization(warm_up=0)
        regularization.bind([normals, depth])
        shape = (1, 2, 16, 16)
        towards = tf.tile([[[[[0.0, 0.0, -1.0]]]]], (*shape, 1))
        sideways = tf.tile([[[[[1.0, 0.0, 0.0]]]]], (*shape, 1))
        far, near = 4.0 * tf.ones((*shape, 1)), 2.0 * tf.ones((*shape, 1))
        nearer = tf.concat([far[:, :1], near[:, 1:]], axis=1)
        arguments = (
            {"normals": towards, "depth": far},
            {"normals": sideways, "depth": nearer},
            # The label of normals is known: only depth has to learn.
            {"normals": tf.ones(1), "depth": tf.zeros(1)},
        )
        extras = {"geometry": tf.constant([[UNMOVED, UNMOVED]])}
        losses = regularization(*arguments, **extras)
        # Quantiles of 4 and 2 metres: Phi(2) - Phi(0), from -1 to 1.
        expected = (2 * 0.477250) ** 2
        self.assertAllClose(losses["distance"], expected, atol=1e-5)
        # The hidden label, towards, and the prediction are at right angles.
        # It counts twice: neither step of the restorer has learned anything.
        self.assertAllClose(losses["reconstruction"], 2.0, atol=1e-6)
        trust = regularization.autoencoder.trust
        for before, factor in (([1.0, 2.0], 4.0), ([2.0, 1.0], 1.0)):
            trust.before.assign(before)
            trust.after.assign([1.0, 1.0])
            losses = regularization(*arguments, **extras)
            self.assertAllClose(
                losses["distance"], factor * expected, rtol=1e-4
            )

    def test_the_first_view_is_moved_into_the_second(self):
        regularization = JointTaskRegularization(stride=2, warm_up=0)
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
            losses = regularization(y_pred, y_pred, nothing, geometry=seen)
            self.assertAllClose(
                np.minimum(losses["distance"], 0.5), expected, atol=1e-6
            )

    def test_no_teacher_is_needed(self):
        self.assertEqual(JointTaskRegularization().needs, ("geometry",))
        self.assertIsNone(toy.make_model(JointTaskRegularization()).teacher)

    def test_without_a_label_there_is_nothing_to_trust(self):
        regularization = bound(warm_up=0)
        arguments, extras = inputs(regularization, ((0, 0, 0, 0),))
        before = regularization(*arguments, **extras)["distance"]
        regularization.autoencoder.trust.before.assign([4.0] * 4)
        after = regularization(*arguments, **extras)["distance"]
        self.assertAllEqual(after, before)

    def test_targets_stay_in_the_joint_space(self):
        regularization = JointTaskRegularization(warm_up=0)
        regularization.bind([tasks.Depth(2.0, 1.0)])
        denoiser = regularization.autoencoder.denoiser
        denoiser.correction.convs[-1].bias.assign([5.0])
        depth = {"depth": 20.0 * tf.ones((1, 2, 16, 16, 1))}  # Its code is 1.
        losses = regularization(
            depth,
            depth,
            {"depth": tf.zeros(1)},
            geometry=tf.constant([[UNMOVED, UNMOVED]]),
        )
        self.assertAllClose(losses["distance"], 0.0, atol=1e-6)

    def test_errors_at_a_hidden_segmentation_by_hand(self):
        regularization = JointTaskRegularization()
        regularization.bind([tasks.SemanticSegmentation(4)])
        shape = (1, 2, 16, 16)
        code = np.array([0.5, 0.25, 0.125, 0.125])
        logits = tf.constant(np.broadcast_to(np.log(code), (*shape, 4)))
        logits = {"segmentation": tf.cast(logits, "float32")}
        losses = regularization(
            {"segmentation": tf.ones((*shape, 1), "int32")},
            logits,
            {"segmentation": tf.ones(1)},
            geometry=tf.constant([[UNMOVED, UNMOVED]]),
        )
        squares = 0.5**2 + 0.75**2 + 2 * 0.125**2
        entropy = np.log(4.0) / np.log(4)  # Of a probability of 1/4.
        self.assertAllClose(
            losses["reconstruction"], squares + entropy, rtol=1e-3
        )

    def test_evidence_answers_for_what_it_adds_alone(self):
        regularization = bound()
        arguments, extras = inputs(regularization, ((1, 1, 1, 1),))
        untrained = regularization.per_image(*arguments, **extras)
        restorer = regularization.autoencoder
        bias = restorer.denoiser.correction.convs[-1].bias
        bias.assign(0.1 * tf.ones_like(bias))
        losses = regularization.per_image(*arguments, **extras)
        # The denoiser has changed predictions; evidence has changed nothing.
        self.assertAllClose(losses[ALONE], losses[TOGETHER])
        changed = np.abs(losses[ALONE] - untrained[ALONE]).max()
        self.assertGreater(changed, 1e-3)
        kernel = restorer.evidence.from_labels.kernel
        kernel.assign(tf.ones_like(kernel))
        weights = [v.value for v in restorer.denoiser.trainable_variables]
        with tf.GradientTape() as tape:
            losses = regularization.per_image(*arguments, **extras)
        gradients = tape.gradient(
            losses[TOGETHER], weights, unconnected_gradients="zero"
        )
        for gradient in gradients:
            self.assertAllEqual(gradient, tf.zeros_like(gradient))

    def test_agreement_with_an_untrained_restorer_has_no_gradient(self):
        # It restores what was predicted, whatever the labels are.
        regularization = bound()
        (y_true, y_pred, labelled, noise), extras = inputs(regularization)
        extras["geometry"] = tf.constant([[UNMOVED, UNMOVED]] * 3)
        y_pred = {k: tf.repeat(v[:, 1:], 2, axis=1) for k, v in y_pred.items()}
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            losses = regularization(y_true, y_pred, labelled, noise, **extras)
        gradients = tape.gradient(losses["distance"], y_pred)
        for name, gradient in gradients.items():
            self.assertAllClose(gradient, 0.0 * gradient, atol=1e-6, msg=name)
        self.assertGreater(losses["reconstruction"], 0.0)

    def test_who_learns_from_what(self):
        regularization = bound()
        arguments, extras = inputs(regularization)
        y_true, y_pred, labelled, _ = arguments
        weights = [v.value for v in regularization.trainable_variables]
        for term in TERMS:
            with tf.GradientTape() as tape:
                tape.watch(y_pred)
                losses = regularization(*arguments, **extras)
            to_network, to_weights = tape.gradient(
                losses[term],
                (y_pred, weights),
                unconnected_gradients="zero",
            )
            trains = {
                "network": np.any([np.any(g) for g in to_network.values()]),
                "autoencoder": np.any([np.any(g) for g in to_weights]),
            }
            network = term != "reconstruction"
            self.assertEqual(
                trains,
                {
                    "network": network,
                    "autoencoder": not network,
                },
            )
            for task in regularization.tasks:
                gradient = np.abs(to_network[task.name])
                self.assertEqual(gradient[:, 0].max(), 0.0)  # The first view.
                annotated = task.valid_mask(y_true[task.name][:, 1]).numpy()
                annotated *= labelled[task.name].numpy()[:, None, None, None]
                annotated[:, 1] = 0.0  # In the cells of the void row.
                self.assertEqual(np.max(gradient[:, 1] * annotated), 0.0)

    def test_void_cells_of_a_label_learn_from_the_first_view(self):
        regularization = bound()
        arguments, extras = inputs(regularization, ((1, 1, 1, 1),))
        with tf.GradientTape() as tape:
            tape.watch(arguments[1])
            distance = regularization(*arguments, **extras)["distance"]
        gradient = tape.gradient(distance, arguments[1])["depth"][0, 1]
        # The first row is void, and with it the cells of the first two.
        self.assertGreater(np.abs(gradient[:2]).max(), 0.0)
        self.assertEqual(np.abs(gradient[2:]).max(), 0.0)

    def test_one_label_of_each_image_is_hidden(self):
        regularization = bound()
        network = regularization.autoencoder
        seen = []
        call = network.evidence.call
        network.evidence.call = lambda x, y: seen.append(y) or call(x, y)
        arguments, extras = inputs(regularization, ((1, 1, 0, 1), (0, 0, 0, 0)))
        # Of the third task, which has the largest number, there is no label.
        uniform = [[0.1, 0.6, 0.9, 0.5], [0.1, 0.2, 0.3, 0.4]]
        arguments[3][HIDING] = tf.constant(uniform)
        losses = regularization.per_image(*arguments, **extras)
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
        for errors in (losses[ALONE], losses[TOGETHER]):
            self.assertAllEqual(
                np.greater(errors, 0.0), [[0, 1, 0, 0], [0, 0, 0, 0]]
            )
        # Both steps learn; of depth, both errors are squares.
        self.assertAllClose(
            losses["reconstruction"],
            np.sum(losses[ALONE] + losses[TOGETHER], axis=1),
        )

    def test_remembers_the_errors_of_a_step(self):
        regularization = bound()
        arguments, extras = inputs(regularization)
        expected = regularization.per_image(*arguments, **extras)
        regularization(*arguments, **extras)
        trust = regularization.autoencoder.trust
        for average, key in ((trust.before, ALONE), (trust.after, TOGETHER)):
            mean = np.mean(expected[key], axis=0)
            self.assertGreater(mean.max(), 0.0)
            self.assertAllClose(average, 0.01 * mean, rtol=1e-4)

    def test_better_targets_weigh_more(self):
        regularization = bound(warm_up=0)
        arguments, extras = inputs(regularization, ((0, 1, 1, 1),))
        before = regularization(*arguments, **extras)["distance"]
        trust = regularization.autoencoder.trust
        trust.before.assign([3.0, 1.0, 1.0, 1.0])
        trust.after.assign([1.5, 1.0, 1.0, 1.0])
        after = regularization(*arguments, **extras)["distance"]
        # The void rows of other tasks weigh as before.
        self.assertGreater(after, 2.5 * before)

    def test_labels_change_nothing_where_an_image_has_one(self):
        # The other label of an image is what evidence would be learned from.
        regularization = bound()
        arguments, extras = inputs(regularization, np.eye(4))
        weights = regularization.autoencoder.evidence.trainable_variables
        with tf.GradientTape() as tape:
            losses = regularization(*arguments, **extras)
        gradients = tape.gradient(
            losses["reconstruction"], [v.value for v in weights]
        )
        for gradient in gradients:
            self.assertAllEqual(gradient, tf.zeros_like(gradient))
        trust = regularization.autoencoder.trust
        self.assertAllEqual(trust.after, trust.before)
        self.assertAllEqual(trust.factors(), np.ones(4))

    def test_one_task_alone(self):
        regularization = JointTaskRegularization(widths=(4, 4), stride=2)
        regularization.bind(toy.make_tasks()[:1])
        (y_true, y_pred, labelled, _), extras = inputs(regularization)
        losses = regularization(y_true, y_pred, labelled, **extras)
        self.assertGreater(losses["distance"], 0.0)

    def test_learns_what_tasks_say_of_each_other(self):
        # The network knows nothing; depth is 1 m where normals point right.
        regularization = JointTaskRegularization(
            stride=1, widths=(8, 8), warm_up=0
        )
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
        extras = {"geometry": tf.constant([[UNMOVED, UNMOVED]] * 8)}
        optimizer = keras.optimizers.Adam(0.02)
        weights = regularization.trainable_variables
        for _ in range(150):
            with tf.GradientTape() as tape:
                losses = regularization(y_true, y_pred, labelled, **extras)
            gradients = tape.gradient(losses["reconstruction"], weights)
            optimizer.apply(gradients, weights)
        labelled["depth"] = tf.zeros(8)
        losses = regularization(y_true, y_pred, labelled, **extras)
        # The distance of the predicted 2 m would be (2 * 0.3413)^2.
        self.assertLess(losses["distance"], 0.1 * (2 * 0.3413) ** 2)
        # Half of the error of 2 m, and more, is gone.
        self.assertAllClose(regularization.autoencoder.trust.factors()[1], 4.0)

    def test_no_image_sees_another(self):
        regularization = bound()
        arguments, extras = inputs(regularization)
        together = regularization.per_image(*arguments, **extras)
        for image in range(3):
            alone = regularization.per_image(
                *tf.nest.map_structure(
                    lambda x: x[image : image + 1],  # noqa: B023
                    arguments,
                ),
                **tf.nest.map_structure(
                    lambda x: x[image : image + 1],  # noqa: B023
                    extras,
                ),
            )
            for term in TERMS:
                self.assertAllClose(
                    alone[term][0], together[term][image], rtol=1e-4
                )

    def test_warm_up_grows_what_trains_the_network(self):
        regularization = bound(warm_up=4)
        arguments, extras = inputs(regularization)
        for step in range(1, 6):
            whole = regularization.per_image(*arguments, **extras)
            losses = regularization(*arguments, **extras)
            share = min(step / 4, 1.0)
            for term, factor in zip(TERMS, (share, 1.0), strict=True):
                expected = factor * np.mean(whole[term])
                self.assertAllClose(losses[term], expected, rtol=1e-4)
