import keras
import numpy as np
import tensorflow as tf

from jtr_keras import JointTaskRegularization, tasks
from jtr_keras.ops import UNMOVED
from jtr_keras.regularization.teacher_objective import KEPT
from tests import toy
from tests.testing import TestCase

TERMS = ("distance", "latent_distance", "reconstruction")


def bound(**options):
    """The regularization, always with the same weights."""
    keras.utils.set_random_seed(0)
    usual = {"widths": (4, 4), "num_convs": (1, 1), "stride": 2, "seed": 1}
    regularization = JointTaskRegularization(**(usual | options))
    regularization.bind(toy.make_tasks())
    return regularization


def inputs(regularization, labelled=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1))):
    """Targets, predictions, label weights, random numbers and extras."""
    _, y_true, weights = toy.make_batch(labelled, views=2)
    batch = len(labelled)
    y_pred = toy.make_predictions(batch, views=2)
    kept = np.random.default_rng(0).integers(0, 2, (batch, 4))
    noise = {KEPT: tf.constant(kept, "float32")}
    extras = toy.make_extras(regularization, batch, views=2)
    return (y_true, y_pred, weights, noise), extras


class TeacherObjectiveTest(TestCase):
    def test_distance_by_hand(self):
        normals, depth = tasks.SurfaceNormals(), tasks.Depth(2.0, 1.0)
        regularization = JointTaskRegularization(warm_up=0)
        regularization.bind([normals, depth])
        shape = (1, 2, 16, 16)
        towards = tf.tile([[[[[0.0, 0.0, -1.0]]]]], (*shape, 1))
        sideways = tf.tile([[[[[1.0, 0.0, 0.0]]]]], (*shape, 1))
        far, near = 4.0 * tf.ones((*shape, 1)), 2.0 * tf.ones((*shape, 1))
        losses = regularization(
            {"normals": towards, "depth": far},
            {"normals": sideways, "depth": near},
            # The label of normals is known: only depth has to learn.
            {"normals": tf.ones(1), "depth": tf.zeros(1)},
            teacher={"normals": sideways, "depth": far},
            geometry=tf.constant([[UNMOVED, UNMOVED]]),
        )
        # Quantiles of 4 and 2 metres: Phi(2) - Phi(0).
        self.assertAllClose(losses["distance"], 0.477250**2, atol=1e-5)
        self.assertGreater(losses["latent_distance"], 0.0)

    def test_agreement_with_teacher_and_labels_is_no_distance(self):
        regularization = bound()
        (y_true, y_pred, labelled, noise), extras = inputs(regularization)
        extras["geometry"] = tf.constant([[UNMOVED, UNMOVED]] * 3)
        extras["teacher"] = {k: v[:, 1:] for k, v in y_pred.items()}
        losses = regularization(y_true, y_pred, labelled, noise, **extras)
        self.assertAllClose(losses["distance"], 0.0, atol=1e-9)
        self.assertAllClose(losses["latent_distance"], 0.0, atol=1e-6)
        self.assertGreater(losses["reconstruction"], 0.0)

    def test_who_learns_from_what(self):
        regularization = bound()
        arguments, extras = inputs(regularization)
        y_true, y_pred, labelled, _ = arguments
        weights = [v.value for v in regularization.trainable_variables]
        for term in TERMS:
            with tf.GradientTape() as tape:
                tape.watch((y_pred, extras["teacher"]))
                losses = regularization(*arguments, **extras)
            to_network, to_teacher, to_weights = tape.gradient(
                losses[term],
                (y_pred, extras["teacher"], weights),
                unconnected_gradients="zero",
            )
            trains = {
                "network": np.any([np.any(g) for g in to_network.values()]),
                "teacher": np.any([np.any(g) for g in to_teacher.values()]),
                "autoencoder": np.any([np.any(g) for g in to_weights]),
            }
            network = term != "reconstruction"
            self.assertEqual(
                trains,
                {
                    "network": network,
                    "teacher": False,
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

    def test_void_cells_of_a_label_learn_from_the_teacher(self):
        regularization = bound()
        arguments, extras = inputs(regularization, ((1, 1, 1, 1),))
        with tf.GradientTape() as tape:
            tape.watch(arguments[1])
            distance = regularization(*arguments, **extras)["distance"]
        gradient = tape.gradient(distance, arguments[1])["depth"][0, 1]
        # The first row is void, and with it the cells of the first two.
        self.assertGreater(np.abs(gradient[:2]).max(), 0.0)
        self.assertEqual(np.abs(gradient[2:]).max(), 0.0)

    def test_a_dropped_task_is_restored_from_the_others(self):
        # What is dropped has no influence on what is restored of another.
        regularization = bound(widths=(4,), num_convs=(1,))
        layer = regularization.autoencoder
        seen = []
        layer.call = lambda x, call=layer.call: seen.append(x) or call(x)
        arguments, extras = inputs(regularization, ((0, 0, 0, 0),))
        arguments[3][KEPT] = tf.constant([[1.0, 0.0, 1.0, 0.0]])
        regularization.per_image(*arguments, **extras)
        stack, kept = seen[0][..., :8], seen[0][..., 8:]
        self.assertAllEqual(kept[0, 0, 0], [1.0, 0.0, 1.0, 0.0])
        self.assertGreater(np.min(np.max(stack[..., :3], axis=-1)), 0.0)
        self.assertEqual(np.max(stack[..., 3]), 0.0)  # Depth.
        self.assertGreater(np.max(stack[..., 4:7]), 0.0)
        self.assertEqual(np.max(stack[..., 7]), 0.0)  # Edges.

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
        whole = regularization.per_image(*arguments, **extras)
        for step in range(1, 6):
            losses = regularization(*arguments, **extras)
            share = min(step / 4, 1.0)
            for term, factor in zip(TERMS, (share, share, 1.0), strict=True):
                expected = factor * np.mean(whole[term])
                self.assertAllClose(losses[term], expected, rtol=1e-4)
