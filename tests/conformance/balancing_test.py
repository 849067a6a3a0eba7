"""Laws that every balancing obeys; what is registered is a row."""

import inspect

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import balancing
from jtr_keras.registry import BALANCINGS
from tests import toy
from tests.balancing.calling import bound, weigh
from tests.conformance import tiny
from tests.conformance.any_labels import train_on_any_labels
from tests.strategies import ONE, TWO
from tests.testing import TestCase

COMPENSATED = {"compensate_label_rate": True, "label_rate_momentum": 0.5}
OPTIONS = {  # Arguments unlike the defaults.
    "fixed": {"weights": {"depth": 3.0}},
    "uncertainty": {"factors": {"depth": 0.5}},
    "dynamic_average": {"period": 1, "temperature": 1.0},
    "random": {"seed": 1},
}
ROWS = [(n, cls, OPTIONS.get(n, {})) for n, cls in BALANCINGS.items()]
LABELLED = ((1, 1, 0, 0), (0, 1, 1, 0), (1, 0, 0, 0), (0, 0, 1, 0))
"""No image has the label of the last task."""
UNEVEN = ((1, 1, 0, 0), (1, 0, 0, 0), (0, 1, 1, 0), (0, 1, 1, 0))
"""One of two replicas sees no `normals`, the other no `segmentation`."""


def state(layer):
    """Variables of a balancing, those of random numbers included."""
    return {v.path: v.numpy() for v in layer.variables}


def train(model, labelled=LABELLED, repeats=3, run_eagerly=True):
    """Logs of steps of gradient descent."""
    # Eagerly: few steps take less time than to trace one.
    model.compile("sgd", jit_compile=False, run_eagerly=run_eagerly)
    data = toy.make_dataset(toy.make_batch(labelled, views=1), repeats)
    return model.fit(data, verbose=0).history


@parameterized.named_parameters(*ROWS)
class BalancingConformanceTest(TestCase):
    def test_config_tells_the_truth(self, cls, options):
        self.run_config_test(cls, options | COMPENSATED)

    def test_xla_finds_the_same(self, cls, options):
        found = []
        for jit_compile in (False, True):
            layer = bound(cls(**options, **COMPENSATED))
            step = tf.function(layer, jit_compile=jit_compile)
            for loss in (2.0, 1.0, 4.0):
                losses = dict.fromkeys(layer.task_names, 1.0)
                losses |= {"depth": loss, "normals": 0.0}
                rates = losses | {"depth": 1.0}
                call = tf.nest.map_structure(tf.constant, (losses, rates))
                result = step(*call)
            if cls is balancing.RandomLossWeighting:  # XLA's are others.
                result = sum(result[0].values())
            found.append((result, state(layer)))
        for first, second in zip(*map(keras.tree.flatten, found), strict=True):
            self.assertAllClose(first, second, atol=1e-5)

    def test_mixed_precision(self, cls, options):
        layer = bound(cls(**options, **COMPENSATED, dtype="mixed_float16"))
        ones = dict.fromkeys(layer.task_names, tf.ones(()))
        for tensor in keras.tree.flatten(layer(ones, ones)):
            self.assertDType(tensor, "float32")
        for variable in (*layer.weights, *layer.compensation.weights):
            self.assertDType(variable, "float32")

    def test_a_loss_that_is_not_finite_is_seen(self, cls, options):
        layer = bound(cls(**options))
        weights, _ = weigh(layer, [np.nan, 1, 1], [1, 1, 1])
        self.assertNotEqual(weights[0], 0.0)

    def test_nothing_labelled(self, cls, options):
        layer = bound(cls(**options, **COMPENSATED))
        for _ in range(3):
            weights, penalty = weigh(layer, [0.0] * 3, [0.0] * 3)
            self.assertAllEqual(weights, [0.0] * 3)
            self.assertEqual(penalty, 0.0)
        for value in state(layer).values():
            self.assertTrue(np.isfinite(value).all())

    def test_an_absent_task_has_no_influence(self, cls, options):
        """A step is as it were if there were no such task."""
        layer, smaller = bound(cls(**options)), bound(cls(**options), 2)
        columns = {v.path for v in layer.variables if v.shape == (3,)}
        for losses in ([1, 2, 3], [2, 1, 1], [2, 3, 4]):
            weigh(layer, losses, [1, 0.5, 0.5])
            weigh(smaller, losses[:2], [1, 0.5])
        before = state(layer)
        for absent in ([2, 1, 0], [4, 2, 0]):
            weights, penalty = weigh(layer, absent, [0.5, 1, 0])
            expected, same = weigh(smaller, absent[:2], [0.5, 1])
            self.assertEqual(weights[2], 0.0)
            self.assertAllClose(penalty, same)
            if cls is not balancing.RandomLossWeighting:  # Others for two.
                self.assertAllClose(weights[:2], expected)
            self.assertAllClose(weights[:2].sum(), expected.sum())
        for path, value in state(layer).items():
            if path in columns:
                self.assertEqual(value[2], before[path][2], path)

    def test_an_absent_task_sends_no_gradient(self, cls, options):
        model = tiny.make_model(balancing=cls(**options))
        heads = [
            [w.numpy() for w in model.predictor.heads[name].trainable_weights]
            for name in ("edges", "depth")
        ]
        logs = train(model)
        self.assertEqual(logs["edges_weight"], [0.0])
        self.assertEqual(logs["edges_loss"], [0.0])
        for name, before, same in zip(
            ("edges", "depth"), heads, (True, False), strict=True
        ):
            after = model.predictor.heads[name].trainable_weights
            self.assertEqual(
                all(map(np.array_equal, before, after)), same, name
            )
        for weight in model.balancing.trainable_variables:
            self.assertEqual(weight[-1], 0.0)
            self.assertTrue(np.any(weight[:-1] != 0.0))

    def test_a_loaded_model_goes_on(self, cls, options):
        model = tiny.make_model(balancing=cls(**options, **COMPENSATED))
        train(model)
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        self.assertEqual(
            copy.balancing.get_config(), model.balancing.get_config()
        )
        found = [train(one) for one in (model, copy)]
        for name, values in found[0].items():
            self.assertAllClose(values, found[1][name], atol=1e-5, msg=name)

    def test_two_replicas_take_the_steps_of_one(self, cls, options):
        found = []
        balancings = [cls(**options, **COMPENSATED) for _ in range(2)]
        for strategy, layer in zip((ONE, TWO), balancings, strict=True):
            with strategy.scope():
                model = tiny.make_model(3, balancing=layer)
                logs = train(model, UNEVEN, run_eagerly=False)
            found.append((logs, model))
        (one_logs, one), (two_logs, two) = found
        for name, values in one_logs.items():
            self.assertAllClose(values, two_logs[name], atol=1e-4, msg=name)
        for first, second in zip(one.variables, two.variables, strict=True):
            self.assertAllClose(
                first.numpy(), second.numpy(), atol=2e-4, msg=first.path
            )

    def test_any_labels_train_in_mixed_precision(self, cls, options):
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        keras.config.set_dtype_policy("mixed_float16")
        model = tiny.make_model(2, balancing=cls(**options, **COMPENSATED))
        model.compile("adam", jit_compile=False)
        before = [v.numpy() for v in model.trainable_variables]
        train_on_any_labels(model, views=1)
        after = [v.numpy() for v in model.trainable_variables]
        # Not if every step overflowed.
        self.assertTrue(any(map(np.any, map(np.subtract, after, before))))


class CoverageTest(TestCase):
    def test_every_balancing_is_registered(self):
        public = {
            value
            for value in vars(balancing).values()
            if inspect.isclass(value)
            and issubclass(value, balancing.Balancing)
            and not inspect.isabstract(value)
        }
        self.assertLessEqual(public, set(BALANCINGS.values()))
        self.assertLessEqual(set(OPTIONS), set(BALANCINGS))
        for cls in (*public, balancing.LabelRateCompensation):
            self.assertEqual(
                keras.saving.get_registered_name(cls),
                f"jtr_keras>{cls.__name__}",
            )
