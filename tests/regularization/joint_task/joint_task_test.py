import dataclasses
import functools

import hypothesis
import hypothesis.extra.numpy
import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import JointTaskRegularization
from jtr_keras.models import SegNet
from jtr_keras.regularization import Semantics
from tests import toy
from tests.testing import TestCase

SEMANTICS = ("corrected", "reference")
TERMS = ("distance", "joint_distance", "reconstruction")


def bound(**options):
    """The regularization, always with the same weights."""
    keras.utils.set_random_seed(0)
    regularization = toy.make_regularization(**options)
    regularization.bind(toy.make_tasks())
    return regularization


def gradients(regularization, batch, y_pred, term):
    """Of a term: to the predictions by task, and to encoder and decoder."""
    _, y_true, labelled = batch
    autoencoder = regularization.autoencoder
    encoder = [v.value for v in autoencoder.encoder.trainable_variables]
    decoder = [v.value for v in autoencoder.decoder.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = regularization(y_true, y_pred, labelled)[term]
    return tape.gradient(
        value, (y_pred, encoder, decoder), unconnected_gradients="zero"
    )


def values(losses):
    return {name: float(loss) for name, loss in losses.items()}


def size(tensors):
    return sum(float(np.abs(t).sum()) for t in tf.nest.flatten(tensors))


@functools.cache
def every_gradient(semantics):
    """A compiled function to the gradients of the sum of all terms."""
    regularization = bound(semantics=semantics)
    weights = [v.value for v in regularization.trainable_variables]

    @tf.function
    def function(y_true, labelled, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            total = sum(regularization(y_true, y_pred, labelled).values())
        return tape.gradient(total, (y_pred, weights))

    return function


@parameterized.parameters(*SEMANTICS)
class JointTaskRegularizationTest(TestCase):
    def test_who_learns_from_what(self, semantics):
        regularization = bound(semantics=semantics)
        batch, y_pred = toy.make_batch(), toy.make_predictions()
        network, encoder, decoder = gradients(
            regularization, batch, y_pred, "distance"
        )
        self.assertGreater(size(network), 0.0)
        self.assertEqual(size([encoder, decoder]), 0.0)
        network, encoder, decoder = gradients(
            regularization, batch, y_pred, "joint_distance"
        )
        self.assertGreater(size(encoder), 0.0)
        self.assertEqual(size([network, decoder]), 0.0)
        network, encoder, decoder = gradients(
            regularization, batch, y_pred, "reconstruction"
        )
        self.assertGreater(size(encoder), 0.0)
        self.assertGreater(size(decoder), 0.0)
        self.assertEqual(size(network), 0.0)

    def test_distance_reaches_unlabelled_predictions_of_one_view(
        self, semantics
    ):
        batch, y_pred = toy.make_batch(), toy.make_predictions()
        network, *_ = gradients(
            bound(semantics=semantics), batch, y_pred, "distance"
        )
        for name, weight in batch[2].items():
            for image, labelled in enumerate(weight):
                views = [size(network[name][image, v]) for v in range(3)]
                self.assertEqual((views[0], views[2]), (0.0, 0.0))
                self.assertEqual(views[1] == 0.0, labelled == 1.0)

    def test_no_image_sees_another(self, semantics):
        # With given noise: else it is that of the batch as a whole.
        regularization = bound(semantics=semantics)
        _, y_true, labelled = toy.make_batch()
        y_pred = toy.make_predictions()
        rng = np.random.default_rng(2)
        noise = {
            "segmentation": tf.constant(
                rng.gumbel(size=(3, 5, *toy.SIZE, 3)), "float32"
            )
        }
        inputs = (y_true, y_pred, labelled, noise)
        together = regularization.per_image(*inputs)
        order = [2, 0, 1]
        shuffled = regularization.per_image(
            *tf.nest.map_structure(lambda x: tf.gather(x, order), inputs)
        )
        for term in TERMS:
            self.assertEqual(together[term].shape, (3,))
            self.assertAllClose(
                tf.gather(together[term], order), shuffled[term], rtol=1e-5
            )
        for image in range(3):
            alone = regularization.per_image(
                *tf.nest.map_structure(lambda x: tf.gather(x, [image]), inputs)  # noqa: B023
            )
            for term in TERMS:
                self.assertAllClose(
                    alone[term][0], together[term][image], rtol=1e-5
                )

    def test_jit_compiles(self, semantics):
        regularization = bound(semantics=semantics)
        _, y_true, labelled = toy.make_batch()
        noise = {"segmentation": tf.zeros((3, 5, *toy.SIZE, 3))}
        inputs = (y_true, toy.make_predictions(), labelled, noise)
        compiled = tf.function(regularization.per_image, jit_compile=True)
        found, expected = compiled(*inputs), regularization.per_image(*inputs)
        for term in TERMS:
            # A sample may flip where two classes are all but even.
            self.assertAllClose(found[term], expected[term], rtol=1e-3)

    @hypothesis.settings(max_examples=15, deadline=None)
    @hypothesis.given(data=hypothesis.strategies.data())
    def test_any_labels_and_voids_give_finite_losses(self, semantics, data):
        floats = hypothesis.strategies.sampled_from([0.0, 0.5, 1.0])
        labels = data.draw(
            hypothesis.extra.numpy.arrays("float32", (2, 4), elements=floats)
        )
        void = data.draw(hypothesis.extra.numpy.arrays("bool", (2, 4)))
        batch = toy.make_batch(labels)
        for column, task in enumerate(toy.make_tasks()):
            target = batch[1][task.name].numpy()
            empty = void[:, column]
            target[empty] = task.void
            batch[1][task.name] = tf.constant(target)
        found = every_gradient(semantics)(*batch[1:], toy.make_predictions(2))
        for gradient in tf.nest.flatten(found):
            self.assertTrue(np.all(np.isfinite(gradient)))

    def test_config(self, semantics):
        regularization = toy.make_regularization(
            semantics=semantics,
            weights={"distance": 1.0, "reconstruction": 3.0},
        )
        copy = JointTaskRegularization.from_config(regularization.get_config())
        self.assertEqual(copy.get_config(), regularization.get_config())
        self.assertEqual(
            copy.loss_weights,
            {"distance": 1.0, "joint_distance": 8.0, "reconstruction": 3.0},
        )
        self.assertEqual(copy.choices, regularization.choices)


class CorrectedTest(TestCase):
    def test_an_unlabelled_image_is_where_it_should_be(self):
        # Both stacks hold the same predictions.
        _, y_true, labelled = toy.make_batch([(0, 0, 0, 0)])
        y_pred = toy.make_predictions(batch=1)
        losses = bound()(y_true, y_pred, labelled)
        self.assertAllClose(losses["distance"], 0.0, atol=1e-6)
        self.assertAllClose(losses["joint_distance"], 0.0, atol=1e-6)
        self.assertGreater(losses["reconstruction"], 0.0)

    def test_void_pixels_have_no_influence(self):
        regularization = bound()
        batch, y_pred = toy.make_batch([(1, 1, 1, 1)]), toy.make_predictions(1)
        before = regularization(batch[1], y_pred, batch[2])
        elsewhere = {  # The first row of each target is void.
            name: tf.concat([-value[:, :, :1], value[:, :, 1:]], axis=2)
            for name, value in y_pred.items()
        }
        after = regularization(batch[1], elsewhere, batch[2])
        self.assertEqual(values(before), values(after))

    def test_labels_of_an_unlabelled_image_have_no_influence(self):
        regularization = bound()
        _, y_true, labelled = toy.make_batch([(1, 1, 1, 1)])
        y_pred = toy.make_predictions(1)
        labelled["depth"] = tf.zeros(1)
        before = regularization(y_true, y_pred, labelled)
        y_true["depth"] = y_true["depth"] * np.nan
        after = regularization(y_true, y_pred, labelled)
        self.assertEqual(values(before), values(after))

    @parameterized.parameters(f.name for f in dataclasses.fields(Semantics))
    def test_every_choice_matters(self, name):
        # Only of samples there can be new ones.
        without = Semantics(hard_samples=name == "new_draws")
        chosen = dataclasses.replace(without, **{name: True})
        batch = toy.make_batch([(0, 1, 0, 1), (1, 0, 0, 0)])
        # Voids of two labelled tasks must differ for their masks to matter.
        depth = batch[1]["depth"].numpy()
        depth[:, :, 3] = 0.0
        batch[1]["depth"] = tf.constant(depth)
        found = []
        for semantics in (without, chosen):
            regularization = bound(semantics=semantics)
            terms = [
                gradients(regularization, batch, toy.make_predictions(2), term)
                for term in TERMS
            ]
            flat = [np.ravel(g) for g in tf.nest.flatten(terms)]
            found.append(np.concatenate(flat))
        self.assertGreater(np.abs(found[0] - found[1]).max(), 1e-6)

    def test_reference_sizes(self):
        regularization = JointTaskRegularization(semantics="reference")
        tasks = toy.make_tasks()[1:3]
        regularization.bind(tasks)
        # 24,989,427 for 17 channels, less the unused normalisation of 34; the
        # first and last convolutions depend on the number of channels.
        per_channel = 9 * 64 + 64 + 1
        self.assertEqual(
            regularization.autoencoder.count_params(),
            24_989_427 - 34 - (17 - 4) * per_channel,
        )

    def test_network_has_the_reference_number_of_weights(self):
        backbone = SegNet()
        backbone.build((None, None, None, 3))
        weights = sum(
            v.shape.num_elements() for v in backbone.trainable_variables
        )
        head = 9 * 64 * 64 + 64
        outputs = 65 * (13 + 1 + 3)
        self.assertEqual(weights + 3 * head + outputs, 25_055_185)

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "semantics.*'corected'"):
            JointTaskRegularization(semantics="corected")
        with self.assertRaisesRegex(ValueError, "widths.*go together"):
            bound(widths=(4,), num_convs=None)
        with self.assertRaisesRegex(ValueError, "widths.*go together"):
            JointTaskRegularization(num_convs=(1,))
        with self.assertRaisesRegex(ValueError, r"weights.*got \['latent"):
            JointTaskRegularization(
                "reference", weights={"latent_distance": 1.0}
            )
        with self.assertRaisesRegex(ValueError, r"choices of.*\['stride'\]"):
            JointTaskRegularization({"stride": True})

    def test_choices_may_come_as_a_dict(self):
        regularization = toy.make_regularization(
            semantics={"target_gradients": True}
        )
        self.assertEqual(
            regularization.choices, Semantics(target_gradients=True)
        )
        copy = JointTaskRegularization.from_config(regularization.get_config())
        self.assertEqual(copy.get_config(), regularization.get_config())

    def test_seed_decides_the_noise(self):
        _, y_true, labelled = toy.make_batch()
        y_pred = toy.make_predictions()
        found = [
            float(
                bound(semantics="reference", seed=seed)(
                    y_true, y_pred, labelled
                )["distance"]
            )
            for seed in (1, 1, 2)
        ]
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])
