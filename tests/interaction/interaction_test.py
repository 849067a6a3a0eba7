import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras.interaction import Features, Interaction
from jtr_keras.models import DensePredictor, UNet
from tests import toy
from tests.aggregation.examples import PerTaskSum
from tests.conformance import tiny
from tests.interaction.examples import Columns, GuidedExchange, LabelledOnly
from tests.models.backbones import residual_backbone
from tests.testing import TestCase

LABELLED = ((1, 1, 0, 0), (0, 1, 0, 1), (0, 0, 0, 0))
"""No image has the label of `normals`."""


def guided(weight=0.5, **options):
    interaction = GuidedExchange()
    interaction.auxiliary_weights = {"initial": weight}
    model = tiny.make_model(interaction=interaction, **options)
    # Eagerly: one step takes less time than to trace it.
    model.compile("sgd", jit_compile=False, run_eagerly=True)
    return model


class AuxiliaryPredictionsTest(TestCase):
    def test_losses_are_named_weighted_and_logged(self):
        batch = toy.make_batch(LABELLED, views=1)
        logs = guided().train_on_batch(*batch, return_dict=True)
        tasks = [task.name for task in toy.make_tasks()]
        self.assertEqual(
            set(logs),
            {f"{task}_loss" for task in tasks}
            | {f"{task}_initial_loss" for task in tasks}
            | {"loss"},
        )
        heads = sum(logs[f"{task}_loss"] for task in tasks)
        auxiliary = sum(logs[f"{task}_initial_loss"] for task in tasks)
        self.assertAllClose(logs["loss"], heads + 0.5 * auxiliary)
        for task in tasks:
            absent = task == "normals"
            self.assertEqual(logs[f"{task}_initial_loss"] == 0.0, absent)

    def test_losses_are_those_of_the_predictions(self):
        model = guided()
        x, y, _ = batch = toy.make_batch(((0, 1, 0, 0), (0, 1, 0, 0)), views=1)
        outputs = model.predictor.outputs(x["images"][:, 0], training=True)
        (_, task, *_) = model.tasks
        predicted = outputs.auxiliary["initial"]["depth"]
        expected = np.mean(task.loss(y["depth"][:, 0], predicted))
        logs = model.train_on_batch(*batch, return_dict=True)
        self.assertAllClose(logs["depth_initial_loss"], expected, rtol=1e-5)

    def test_the_balancing_weighs_them_as_it_does_the_heads(self):
        batch = toy.make_batch(np.ones((2, 4)), views=1)
        balancing = jtr.balancing.FixedWeights({"depth": 3.0, "normals": 0.0})
        logs = guided(2.0, balancing=balancing).train_on_batch(
            *batch, return_dict=True
        )
        expected = sum(
            factor * (logs[f"{task}_loss"] + 2.0 * logs[f"{task}_initial_loss"])
            for task, factor in (
                ("segmentation", 1.0),
                ("depth", 3.0),
                ("edges", 1.0),
            )
        )
        self.assertAllClose(logs["loss"], expected, rtol=1e-5)

    def test_absent_labels_have_no_influence(self):
        found = []
        for value in (1.0, 9.0):
            x, y, labelled = toy.make_batch(LABELLED, views=1)
            hidden = (labelled["depth"].numpy() == 0).reshape(3, 1, 1, 1, 1)
            y["depth"] = tf.where(hidden, value, y["depth"])
            model = guided()
            model.train_on_batch(x, y, labelled)
            found.append(model.get_weights())
        keras.tree.map_structure(self.assertAllEqual, *found)
        heads = model.predictor.interaction.initial
        start = guided().predictor.interaction.initial
        for task, moved in (("depth", True), ("normals", False)):
            pairs = zip(heads[task].weights, start[task].weights, strict=True)
            same = all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
            self.assertEqual(same, not moved)

    def test_nothing_but_void_pixels_is_no_loss(self):
        x, y, labelled = toy.make_batch(LABELLED, views=1)
        y["depth"] = tf.zeros_like(y["depth"])
        logs = guided().train_on_batch(x, y, labelled, return_dict=True)
        self.assertEqual(logs["depth_initial_loss"], 0.0)
        self.assertTrue(np.isfinite(list(logs.values())).all())

    def test_no_part_of_evaluation_and_prediction(self):
        model = guided()
        batch = toy.make_batch(LABELLED, views=1)
        logs = model.test_on_batch(*batch, return_dict=True)
        self.assertFalse([name for name in logs if "initial" in name])
        images = np.zeros((1, 16, 16, 3), "float32")
        self.assertEqual(set(model(images)), {t.name for t in model.tasks})

    def test_aggregated_with_the_heads(self):
        found = []
        for aggregation in (None, PerTaskSum()):
            model = guided(aggregation=aggregation)
            model.train_on_batch(*toy.make_batch(LABELLED, views=1))
            found.append([v.numpy() for v in model.trainable_variables])
        for first, second in zip(*found, strict=True):
            self.assertAllClose(first, second, atol=1e-6)


class EncoderSideTest(TestCase):
    @parameterized.parameters("unet", "functional")
    def test_columns_that_do_not_mix_are_single_task_networks(self, name):
        makers = {"unet": lambda: UNet((3, 4)), "functional": residual_backbone}
        tasks = toy.make_tasks()[:2]
        network = DensePredictor(makers[name](), tasks, 2, Columns(mixing=0.0))
        images = np.random.default_rng(0).normal(size=(2, 13, 16, 3))
        found = network(images)
        for column, task in enumerate(tasks):
            single = DensePredictor(
                makers[name](), [task], 2, interaction=Columns(mixing=0.0)
            )
            pyramids = [network.pyramid, *network.interaction.copies]
            single.pyramid.set_weights(pyramids[column].get_weights())
            head = single.heads[task.name]
            head.set_weights(network.heads[task.name].get_weights())
            self.assertAllClose(found[task.name], single(images)[task.name])
            # A backbone that is called at once, too.
            finest = single.pyramid(np.pad(images, PADDING[name]))[0]
            logits = head(finest)
            if name == "unet":
                predicted = task.activate(logits)[:, :13, :16]
                self.assertAllClose(found[task.name], predicted, atol=1e-5)

    def test_columns_exchange_what_they_mix(self):
        tasks = toy.make_tasks()[:2]
        network = DensePredictor(UNet((3, 4)), tasks, 2, Columns(mixing=0.5))
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        before = network(images)["segmentation"]
        copy = network.interaction.copies[0]
        copy.set_weights([2.0 * w for w in copy.get_weights()])
        self.assertNotAllClose(network(images)["segmentation"], before)

    def test_backbones_without_stages_are_refused(self):
        with self.assertRaisesRegex(ValueError, "cannot be run stage by stage"):
            DensePredictor(
                keras.layers.Conv2D(4, 2, strides=2),
                toy.make_tasks(),
                interaction=Columns(),
            )


PADDING = {
    "unet": [(0, 0), (0, 1), (0, 0), (0, 0)],
    "functional": [(0, 0), (0, 19), (0, 16), (0, 0)],
}


class LabelsTest(TestCase):
    def test_training_tells_which_images_have_which_label(self):
        seen = []

        class Listening(LabelledOnly):
            def call(self, inputs, labelled=None, training=None):
                seen.append((labelled, training))
                return super().call(inputs, labelled, training)

        model = tiny.make_model(interaction=Listening(), supervised_views=2)
        model.compile("sgd", jit_compile=False, run_eagerly=True)
        batch = toy.make_batch(((1, 0, 0, 0.5), (0, 1, 0, 0)), views=2)
        seen.clear()
        model.train_on_batch(*batch)
        ((labelled, training),) = seen
        self.assertTrue(training)
        # Both views of an image follow each other.
        self.assertAllEqual(labelled["segmentation"], [1.0, 1.0, 0.0, 0.0])
        self.assertAllEqual(labelled["edges"], [0.5, 0.5, 0.0, 0.0])
        seen.clear()
        model.test_on_batch(*batch)
        self.assertEqual(seen, [(None, False)])

    def test_gradients_of_unlabelled_tasks_can_be_stopped(self):
        layer = LabelledOnly()
        layer.bind(toy.make_tasks()[:2], (3,), (1,))
        maps = tf.ones((2, 4, 4, 3))
        labelled = {"segmentation": tf.constant([1.0, 0.0])}
        labelled["depth"] = tf.constant([0.0, 0.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(maps)
            features = layer([maps], labelled=labelled, training=True)
        by_task = {
            name: tape.gradient(value, maps)[:, 0, 0, 0].numpy().tolist()
            for name, value in features.by_task.items()
        }
        self.assertEqual(
            by_task, {"segmentation": [1.0, 0.0], "depth": [0.0, 0.0]}
        )


class BindingTest(TestCase):
    def test_layers_must_be_called_without_training_too(self):
        class Forgetful(Interaction):
            def build_for_tasks(self):
                self.layer = keras.layers.Dense(3, name="forgotten")

            def call(self, inputs, training=None):
                shared = self.layer(inputs[0]) if training else inputs[0]
                return Features({t.name: shared for t in self.tasks}, shared)

        with self.assertRaisesRegex(
            ValueError, r"`Forgetful.build_for_tasks` must build .*forgotten"
        ):
            DensePredictor(
                UNet((4, 4)), toy.make_tasks(), interaction=Forgetful()
            )
