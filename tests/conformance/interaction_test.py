"""Laws that every interaction obeys; what is registered is a row."""

import functools
import inspect

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras import interaction
from jtr_keras.models import DensePredictor
from jtr_keras.registry import INTERACTIONS
from tests import toy
from tests.interaction.examples import Columns, GuidedExchange
from tests.models.backbones import residual_backbone
from tests.strategies import ONE, TWO
from tests.testing import TestCase

OPTIONS = {  # Arguments unlike the defaults.
    "shared_features": {"filters": 3},
    "guided_exchange": {"filters": 2},
    "columns": {"mixing": 0.2},
}
CLASSES = {
    **INTERACTIONS,
    "guided_exchange": GuidedExchange,
    "columns": Columns,
}
ROWS = [(name, name) for name in CLASSES]
LABELLED = ((1, 1, 0, 0), (1, 0, 0, 0), (0, 1, 1, 0), (0, 1, 1, 0))
"""One of two replicas sees no `normals`, the other no `segmentation`."""
IMAGES = np.random.default_rng(0).uniform(size=(2, 13, 21, 3)).astype("float32")


def make(name):
    return CLASSES[name](**OPTIONS.get(name, {}))


@functools.cache
def predictor(name, num_tasks=2):
    """Of a functional pyramid; no test changes it."""
    keras.utils.set_random_seed(0)
    tasks = toy.make_tasks()[:num_tasks]
    return DensePredictor(residual_backbone(), tasks, 2, make(name))


def make_model(name):
    keras.utils.set_random_seed(0)
    return jtr.MultiTaskModel(
        jtr.models.UNet(widths=(2, 3)),
        toy.make_tasks()[:3],
        head_filters=2,
        interaction=make(name),
    )


def train(model, run_eagerly=True):
    """Logs of two steps of gradient descent."""
    data = toy.make_dataset(toy.make_batch(LABELLED, views=1), repeats=2)
    # Eagerly: few steps take less time than to trace one.
    model.compile("sgd", jit_compile=False, run_eagerly=run_eagerly)
    return model.fit(data, verbose=0).history


@parameterized.named_parameters(*ROWS)
class InteractionConformanceTest(TestCase):
    def test_config_tells_the_truth(self, name):
        self.run_config_test(CLASSES[name], OPTIONS.get(name, {}))

    def test_belongs_to_one_network(self, name):
        with self.assertRaisesRegex(ValueError, "belongs to a model already"):
            DensePredictor(
                jtr.models.UNet(widths=(2, 3)),
                toy.make_tasks(),
                interaction=predictor(name).interaction,
            )

    def test_any_number_of_tasks_and_odd_sizes(self, name):
        for count in (1, 2, 3):
            found = predictor(name, count)(IMAGES)
            self.assertEqual(
                {task: tuple(value.shape) for task, value in found.items()},
                {
                    task.name: (2, 13, 21, task.channels)
                    for task in toy.make_tasks()[:count]
                },
            )

    def test_images_of_a_batch_are_independent(self, name):
        together = predictor(name)(IMAGES)
        alone = predictor(name)(IMAGES[1:])
        for task, value in alone.items():
            self.assertAllClose(value, together[task][1:], atol=1e-5)

    def test_auxiliary_predictions_are_those_declared(self, name):
        outputs = predictor(name).outputs(IMAGES, training=False)
        declared = set(predictor(name).interaction.auxiliary_weights)
        self.assertEqual(set(outputs.auxiliary), declared)
        for predictions in outputs.auxiliary.values():
            for task, value in predictions.items():
                shape = outputs.predictions[task].shape
                self.assertEqual(value.shape, shape)

    def test_xla_finds_the_same(self, name):
        expected = predictor(name)(IMAGES)
        compiled = tf.function(predictor(name), jit_compile=True)
        for task, value in compiled(tf.constant(IMAGES)).items():
            self.assertAllClose(value, expected[task], atol=1e-4)

    def test_gradients_reach_every_weight(self, name):
        model = make_model(name)
        model.compile("sgd", jit_compile=False, run_eagerly=True)
        before = [v.numpy() for v in model.trainable_variables]
        all_labels = np.ones((2, 4))
        model.train_on_batch(*toy.make_batch(all_labels, views=1))
        for old, new in zip(before, model.trainable_variables, strict=True):
            # What comes before a normalisation needs no bias.
            if new.path.endswith("conv2d/bias"):
                continue
            self.assertTrue(np.any(old != new.numpy()), new.path)
            self.assertTrue(np.isfinite(new.numpy()).all(), new.path)

    def test_two_replicas_take_the_steps_of_one(self, name):
        with ONE.scope():
            one = make_model(name)
            one_logs = train(one)
        with TWO.scope():
            two = make_model(name)
            # Traced, as several replicas are in use.
            two_logs = train(two, run_eagerly=False)
        for key, values in one_logs.items():
            self.assertAllClose(values, two_logs[key], atol=1e-4, msg=key)
        for first, second in zip(one.weights, two.weights, strict=True):
            self.assertAllClose(
                first.numpy(), second.numpy(), atol=2e-4, msg=first.path
            )

    def test_mixed_precision(self, name):
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        keras.config.set_dtype_policy("mixed_float16")
        model = make_model(name)
        for layer in model.predictor.interaction._flatten_layers():
            self.assertIn(layer.compute_dtype, ("float16", "float32"))
        logs = train(model)
        self.assertTrue(np.isfinite(logs["loss"]).all())
        for value in model(IMAGES).values():
            self.assertDType(value, "float32")

    def test_a_loaded_model_goes_on(self, name):
        model = make_model(name)
        train(model)
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        expected = model(IMAGES)
        for task, value in copy(IMAGES).items():
            self.assertAllClose(value, expected[task], atol=1e-6)
        found = [train(one) for one in (model, copy)]
        for key, values in found[0].items():
            self.assertAllClose(values, found[1][key], atol=1e-5, msg=key)

    def test_exported_for_any_size(self, name):
        path = f"{self.get_temp_dir()}/model"
        images = tf.TensorSpec((None, None, None, 3), name="images")
        # The export of this library writes more; tests/export/ has it.
        predictor(name).export(path, input_signature=[images], verbose=False)
        loaded = tf.saved_model.load(path)
        found = loaded.signatures["serving_default"](tf.constant(IMAGES))
        for task, value in predictor(name)(IMAGES).items():
            self.assertAllClose(found[task], value, atol=1e-5)


class CoverageTest(TestCase):
    def test_every_interaction_is_registered(self):
        public = {
            value
            for value in vars(interaction).values()
            if inspect.isclass(value)
            and issubclass(value, interaction.Interaction)
            and not inspect.isabstract(value)
        }
        self.assertLessEqual(public, set(INTERACTIONS.values()))
        self.assertLessEqual(set(OPTIONS), set(CLASSES))
        for cls in public:
            self.assertEqual(
                keras.saving.get_registered_name(cls),
                f"jtr_keras>{cls.__name__}",
            )
