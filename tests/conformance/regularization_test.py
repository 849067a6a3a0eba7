"""Laws that every regularization obeys; a registered one is a row."""

import inspect

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import regularization
from jtr_keras.regularization import REGULARIZATIONS
from tests import toy
from tests.conformance import tiny
from tests.conformance.any_labels import train_on_any_labels
from tests.strategies import TWO
from tests.testing import TestCase

OPTIONS = {  # Small and unlike the defaults, which others have.
    "joint_task": {
        "weights": {
            "distance": 3.0,
            "joint_distance": 8.0,
            "reconstruction": 1.0,
        },
        "widths": (4, 6),
        "num_convs": (1, 1),
        "seed": 1,
    },
    "label_restoration": {
        "weights": {"restoration_distance": 1.5, "restoration_error": 0.8},
        "widths": (4, 6, 5),
        "stride": 2,
        "warm_up": 3,
        "seed": 1,
    },
    "cross_task": {
        "weight": 3.0,
        "feature_weight": 0.25,
        "widths": (4, 6),
        "num_convs": (2, 1),
        "max_pairs": 2,
        "film_learning_rate": 10.0,
        "seed": 1,
    },
    "view_consistency": {"detach": False},
    "pseudo_labels": {
        "weight": 2.0,
        "threshold": 0.5,
        "tolerance": 0.2,
        "warm_up": 3,
    },
    "task_prototypes": {
        "contrast_weight": 0.5,
        "consistency_weight": 0.3,
        "dim": 4,
        "num_bins": 5,
        "stride": 4,
        "temperature": 0.2,
        "momentum": 0.8,
    },
}
ROWS = [(n, cls, OPTIONS.get(n, {})) for n, cls in REGULARIZATIONS.items()]
REFERENCE = (
    "joint_task_reference",
    regularization.JointTaskRegularization,
    OPTIONS["joint_task"] | {"semantics": "reference"},
)
RANDOM = (regularization.CrossTaskConsistency,)
"""Those that see other random numbers on every replica."""


def composition():
    """Some of them at once."""
    names = ("label_restoration", "pseudo_labels", "view_consistency")
    parts = [REGULARIZATIONS.make(name, OPTIONS[name]) for name in names]
    return regularization.Composition(parts)


def bound(cls, options):
    keras.utils.set_random_seed(0)
    layer = cls(**options)
    layer.bind(toy.make_tasks(), toy.FEATURES)
    return layer


def compiled(layer, optimizer="sgd", jit_compile=False):
    """A network without batch statistics, as they have tests of their own."""
    model = tiny.make_model(regularization=layer)
    model.compile(optimizer, jit_compile=jit_compile)
    return model


@parameterized.named_parameters(*ROWS, REFERENCE)
class RegularizationConformanceTest(TestCase):
    def test_terms_are_those_that_have_a_weight(self, cls, options):
        layer = bound(cls, options)
        _, y_true, labelled = toy.make_batch()
        inputs = toy.make_inputs(layer)
        losses = layer(y_true, toy.make_predictions(), labelled, **inputs)
        self.assertEqual(set(losses), set(layer.loss_weights))
        for loss in losses.values():
            self.assertEqual(loss.shape, ())
            self.assertEqual(loss.dtype, tf.float32)

    def test_config_tells_the_truth(self, cls, options):
        layer = bound(cls, options)
        config = layer.get_config()
        for name in inspect.signature(cls).parameters:
            if name != "kwargs":
                self.assertIn(name, config)
        copy = cls.from_config(config)
        self.assertEqual(copy.get_config(), config)
        for name, value in options.items():
            self.assertEqual(config[name], value)


@parameterized.named_parameters(*ROWS)
class CompilationConformanceTest(TestCase):
    def test_a_replica_without_images(self, cls, options):
        layer = bound(cls, options)
        batch = toy.make_batch(), toy.make_predictions(), toy.make_inputs(layer)
        nothing = tf.nest.map_structure(lambda tensor: tensor[:0], batch)
        (_, y_true, labelled), y_pred, inputs = nothing
        # Without XLA, convolutions of nothing fail on CPUs.
        call = tf.function(layer, jit_compile=True)
        losses = call(y_true, y_pred, labelled, **inputs)
        for loss in losses.values():
            self.assertEqual(loss, 0.0)
        for weight in layer.weights:
            self.assertTrue(np.isfinite(weight.numpy()).all(), weight.path)

    def test_two_replicas_take_the_steps_of_one(self, cls, options):
        # A replica has no labels of two tasks in the first batch, none at all
        # in the second. Of several labels, a random one would be held out.
        eye = np.eye(4)
        labelled = np.concatenate([eye, np.zeros((4, 4)), 0.5 * eye[::-1]])
        data = toy.make_dataset(toy.make_batch(labelled), size=4)
        layer = cls(**options)  # Not in the scope: users need not know it.
        with TWO.scope():
            two = compiled(layer)
        logs = two.fit(data, verbose=0).history
        for name, values in logs.items():
            self.assertGreater(values[0], 0.0, name)  # Else it proves nothing.
        one = compiled(cls(**options))
        seeds = [v for v in one.variables if "seed_generator" in v.path]
        for batch in data:
            one.train_step(batch)
        ends = [v.numpy() for v in two.variables if "seed_generator" in v.path]
        self.assertAllEqual([seed.numpy() for seed in seeds], ends)
        if not isinstance(layer, RANDOM):
            for name, metric in one.train_losses.items():
                self.assertAllClose(
                    logs[name][0], metric.result(), rtol=1e-3, msg=name
                )
            for first, second in zip(one.weights, two.weights, strict=True):
                self.assertAllClose(
                    first.numpy(), second.numpy(), atol=2e-4, msg=first.path
                )
        train_on_any_labels(two, max_examples=2)

    def test_any_labels_train_under_xla_in_mixed_precision(self, cls, options):
        # At once: nearly all of a test's time is tracing and compilation.
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        keras.config.set_dtype_policy("mixed_float16")
        model = compiled(cls(**options), jit_compile=True)
        before = [v.numpy() for v in model.trainable_variables]
        train_on_any_labels(model)
        after = [v.numpy() for v in model.trainable_variables]
        # Not if every step overflowed.
        self.assertTrue(any(map(np.any, map(np.subtract, after, before))))
        self.assertEqual({v.dtype for v in model.weights}, {"float32"})


@parameterized.named_parameters(
    *ROWS, REFERENCE, ("composition", composition, {})
)
class SavingConformanceTest(TestCase):
    def test_goes_on_after_saving(self, cls, options):
        batch = next(iter(toy.make_dataset(toy.make_batch())))
        optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
        layer = cls(**options)
        model = compiled(layer, optimizer)
        before = [v.numpy() for v in layer.trainable_variables]
        # A kernel behind one that starts at 0 moves later.
        for _ in range(8):
            model.train_step(batch)
        for old, new in zip(before, layer.trainable_variables, strict=True):
            self.assertTrue(np.any(old != new.numpy()), new.path)
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        serialize = keras.saving.serialize_keras_object
        self.assertEqual(serialize(copy.regularization), serialize(layer))
        for first, second in zip(model.variables, copy.variables, strict=True):
            self.assertAllEqual(first, second)
        model.reset_metrics()
        expected, found = model.train_step(batch), copy.train_step(batch)
        for name, value in expected.items():
            self.assertAllClose(found[name], value, rtol=1e-5, msg=name)
        for first, second in zip(model.variables, copy.variables, strict=True):
            self.assertAllClose(first, second, atol=1e-6)


class NoRegularizationTest(TestCase):
    def test_any_labels_train_a_network_with_batch_statistics(self):
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        keras.config.set_dtype_policy("mixed_float16")
        model = toy.make_model()
        model.compile("sgd", jit_compile=True)
        train_on_any_labels(model)
        self.assertEqual({v.dtype for v in model.weights}, {"float32"})


class CoverageTest(TestCase):
    def test_every_regularization_is_registered(self):
        public = {
            value
            for value in vars(regularization).values()
            if inspect.isclass(value)
            and issubclass(value, regularization.TaskRegularization)
            and not inspect.isabstract(value)
        }
        public.remove(regularization.Composition)  # What a list becomes.
        self.assertLessEqual(public, set(REGULARIZATIONS.values()))
        self.assertLessEqual(set(OPTIONS), set(REGULARIZATIONS))
