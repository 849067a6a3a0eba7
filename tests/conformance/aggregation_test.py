"""Laws that every aggregation obeys; what is registered is a row."""

import inspect

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import aggregation
from jtr_keras.registry import AGGREGATIONS
from tests import toy
from tests.aggregation.examples import MeanOfDirections, PerTaskSum
from tests.conformance import tiny
from tests.conformance.any_labels import train_on_any_labels
from tests.strategies import ONE, TWO
from tests.testing import TestCase

OPTIONS = {"mean_of_directions": {"momentum": 0.8}}  # Unlike the defaults.
CLASSES = {
    **AGGREGATIONS,
    "per_task_sum": PerTaskSum,
    "mean_of_directions": MeanOfDirections,
}
ROWS = [(n, cls, OPTIONS.get(n, {})) for n, cls in CLASSES.items()]
LABELLED = ((1, 1, 0, 0), (0, 1, 1, 0), (1, 0, 0, 0), (0, 0, 1, 0))
"""No image has the label of the last task."""
UNEVEN = ((1, 1, 0, 0), (1, 0, 0, 0), (0, 1, 1, 0), (0, 1, 1, 0))
"""One of two replicas sees no `normals`, the other no `segmentation`."""
GRADIENTS = np.float32([[3, 4, 0], [1, -2, 2], [-1, 1, 5], [2, 2, 1]])


def bound(layer, num_tasks=3):
    layer.bind(toy.make_tasks()[:num_tasks])
    return layer


def combine(layer, gradients, present):
    return layer.combine(
        tf.constant(gradients), tf.constant(present, "float32")
    )


def state(layer):
    return {v.name: v.numpy() for v in layer.variables}


def train(model, labelled=LABELLED, repeats=3, eagerly=True, optimizer="sgd"):
    """Logs of steps of gradient descent."""
    # Eagerly: few steps take less time than to trace one.
    model.compile(optimizer, jit_compile=False, run_eagerly=eagerly)
    data = toy.make_dataset(toy.make_batch(labelled, views=1), repeats)
    return model.fit(data, verbose=0).history


@parameterized.named_parameters(*ROWS)
class AggregationConformanceTest(TestCase):
    def test_config_tells_the_truth(self, cls, options):
        if cls.per_task:
            options = options | {"include_regularization": True}
        self.run_config_test(cls, options)

    def test_an_absent_task_has_no_influence(self, cls, options):
        """A step is as it were if there were no such task."""
        layer, smaller = bound(cls(**options)), bound(cls(**options), 2)
        columns = {v.name for v in layer.variables if v.shape[:1] == (3,)}
        for gradients in (GRADIENTS[:3], 2 * GRADIENTS[1:]):
            combine(layer, gradients, [1, 1, 1])
            combine(smaller, gradients[:2], [1, 1])
        before = state(layer)
        for gradients in (GRADIENTS[:2], -GRADIENTS[1:3]):
            with_zero = np.concatenate([gradients, np.zeros((1, 3), "float32")])
            found = combine(layer, with_zero, [1, 1, 0])
            expected = combine(smaller, gradients, [1, 1])
            self.assertAllClose(found, expected)
            self.assertGreater(np.abs(found).max(), 0.0)
        for name, value in state(layer).items():
            if name in columns:
                self.assertAllEqual(value[2], before[name][2])

    def test_nothing_labelled(self, cls, options):
        layer = bound(cls(**options))
        combine(layer, GRADIENTS[:3], [1, 1, 1])
        before = state(layer)
        zeros = np.zeros((3, 3), "float32")
        self.assertAllEqual(combine(layer, zeros, [0, 0, 0]), [0.0] * 3)
        for name, value in state(layer).items():
            self.assertAllEqual(value, before[name])

    def test_xla_finds_the_same(self, cls, options):
        found = []
        for jit_compile in (False, True):
            layer = bound(cls(**options))
            step = tf.function(layer.combine, jit_compile=jit_compile)
            for present in ([1, 1, 1], [1, 0, 1]):
                present = np.float32(present)
                gradients = tf.constant(GRADIENTS[:3] * present[:, None])
                result = step(gradients, tf.constant(present))
            found.append((result, state(layer)))
        for first, second in zip(*map(keras.tree.flatten, found), strict=True):
            self.assertAllClose(first, second, atol=1e-5)

    def test_an_absent_task_is_not_trained(self, cls, options):
        model = tiny.make_model(aggregation=cls(**options))
        heads = model.predictor.heads
        before = {
            name: [w.numpy() for w in heads[name].trainable_weights]
            for name in ("edges", "depth")
        }
        train(model)
        for name, same in (("edges", True), ("depth", False)):
            after = [w.numpy() for w in heads[name].trainable_weights]
            self.assertEqual(
                all(map(np.array_equal, before[name], after)), same
            )

    def test_a_loaded_model_goes_on(self, cls, options):
        model = tiny.make_model(aggregation=cls(**options))
        train(model)
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        self.assertEqual(
            copy.aggregation.get_config(), model.aggregation.get_config()
        )
        found = [train(one) for one in (model, copy)]
        for name, values in found[0].items():
            self.assertAllClose(values, found[1][name], atol=1e-5, msg=name)

    def test_two_replicas_take_the_steps_of_one(self, cls, options):
        found = []
        for strategy in (ONE, TWO):
            with strategy.scope():
                model = tiny.make_model(3, aggregation=cls(**options))
                logs = train(model, UNEVEN, eagerly=False)
            found.append((logs, model))
        (one_logs, one), (two_logs, two) = found
        for name, values in one_logs.items():
            self.assertAllClose(values, two_logs[name], atol=1e-4, msg=name)
        for first, second in zip(one.variables, two.variables, strict=True):
            self.assertAllClose(
                first.numpy(), second.numpy(), atol=2e-4, msg=first.path
            )

    def test_gradients_can_be_accumulated(self, cls, options):
        found = []
        for steps in (1, 2):
            model = tiny.make_model(aggregation=cls(**options))
            layer = model.aggregation
            # Of one batch twice, in the same state: the mean is the same.
            optimizer = keras.optimizers.SGD(
                gradient_accumulation_steps=None if steps == 1 else steps
            )
            model.compile(optimizer, jit_compile=False, run_eagerly=True)
            start = [v.numpy() for v in layer.variables]
            for _ in range(steps):
                for variable, value in zip(layer.variables, start, strict=True):
                    variable.assign(value)
                model.train_on_batch(*toy.make_batch(LABELLED, views=1))
            found.append(model.predictor.get_weights())
        for first, second in zip(*found, strict=True):
            self.assertAllClose(first, second, atol=1e-5)

    def test_any_labels_train_in_mixed_precision(self, cls, options):
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        keras.config.set_dtype_policy("mixed_float16")
        model = tiny.make_model(2, aggregation=cls(**options))
        model.compile("adam", jit_compile=False)
        before = [v.numpy() for v in model.trainable_variables]
        train_on_any_labels(model, views=1)
        after = [v.numpy() for v in model.trainable_variables]
        # Not if every step overflowed.
        self.assertTrue(any(map(np.any, map(np.subtract, after, before))))


class SumTest(TestCase):
    def test_the_sum_of_single_gradients_is_the_default(self):
        found = []
        for layer in (None, PerTaskSum(), PerTaskSum(True)):
            model = tiny.make_model(
                regularization=toy.make_restoration(), aggregation=layer
            )
            model.compile("sgd", jit_compile=False, run_eagerly=True)
            batch = toy.make_batch(LABELLED)
            logs = model.train_on_batch(*batch, return_dict=True)
            weights = [v.numpy() for v in model.trainable_variables]
            found.append((logs["loss"], weights))
        default, *others = found
        for loss, weights in others:
            self.assertAllClose(loss, default[0])
            for first, second in zip(weights, default[1], strict=True):
                self.assertAllClose(first, second, atol=1e-6)


class CoverageTest(TestCase):
    def test_every_aggregation_is_registered(self):
        public = {
            value
            for value in vars(aggregation).values()
            if inspect.isclass(value)
            and issubclass(value, aggregation.Aggregation)
            and not inspect.isabstract(value)
        }
        self.assertLessEqual(public, set(AGGREGATIONS.values()))
        self.assertLessEqual(set(OPTIONS), set(CLASSES))
        for cls in public:
            self.assertEqual(
                keras.saving.get_registered_name(cls),
                f"jtr_keras>{cls.__name__}",
            )
