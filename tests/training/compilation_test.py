from unittest import mock

import keras
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training.compilation import (
    TracedStep,
    choose_compilation,
    synchronize_batch_statistics,
)
from tests import toy
from tests.conformance import tiny
from tests.strategies import TWO
from tests.testing import TestCase


class CompilationTest(TestCase):
    def tearDown(self):
        tf.config.optimizer.set_jit("")
        super().tearDown()

    @parameterized.parameters(("auto", True), (True, True), (False, False))
    def test_one_replica_compiles_the_step(self, jit_compile, expected):
        strategy = tf.distribute.get_strategy()
        self.assertEqual(choose_compilation(strategy, jit_compile), expected)
        self.assertFalse(tf.config.optimizer.get_jit())

    @parameterized.parameters(("auto", "autoclustering"), (False, ""))
    def test_several_replicas_cluster_automatically(self, jit_compile, mode):
        self.assertFalse(choose_compilation(TWO, jit_compile))
        self.assertEqual(tf.config.optimizer.get_jit(), mode)

    def test_the_last_choice_decides(self):
        for jit_compile in ("auto", False):
            choose_compilation(TWO, jit_compile)
        self.assertFalse(tf.config.optimizer.get_jit())

    def test_several_steps_on_several_replicas_are_refused(self):
        with self.assertRaisesRegex(ValueError, "steps_per_execution.*got 4"):
            choose_compilation(TWO, steps_per_execution=4)

    def test_every_batch_normalization_is_synchronized(self):
        model = toy.make_model()
        synchronize_batch_statistics(model)
        found = [
            layer.synchronized
            for layer in model._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        self.assertGreater(len(found), 4)
        self.assertTrue(all(found))


class TracedStepTest(TestCase):
    def test_a_function_for_each_number_of_axes_and_views(self):
        made = []
        model = mock.Mock()

        def make(force):
            index = len(made)
            made.append(force)
            model.train_function = lambda iterator: (index, next(iterator))

        step = model.train_function = TracedStep(model, "train_function", make)
        shapes = [(2, 3, 4, 4, 3), (2, 4, 4, 3), (2, 2, 4, 4, 3), (1, 5, 5, 3)]
        for expected, shape in zip((0, 1, 2, 1), shapes, strict=True):
            images = tf.ones(shape)
            dataset = tf.data.Dataset.from_tensors({"x": images})
            for iterator in (iter(dataset), (b for b in [{"x": images}])):
                index, batch = step(iterator)
                self.assertEqual(index, expected)
                self.assertEqual(batch["x"].shape, shape)
        self.assertIs(model.train_function, step)

    @parameterized.parameters(1, 2)
    def test_evaluating_with_and_without_views(self, steps_per_execution):
        batch = toy.make_batch(geometry=False)
        model = tiny.make_model(1)
        model.compile(
            jit_compile=False, steps_per_execution=steps_per_execution
        )
        views = toy.make_dataset(batch)
        without = toy.make_dataset(one_view(*batch))
        expected = model.evaluate(views, verbose=0)
        self.assertAllClose(model.evaluate(without, verbose=0), expected)
        self.assertAllClose(model.evaluate(views, verbose=0), expected)

    def test_batches_with_and_without_views(self):
        batch = toy.make_batch(geometry=False)
        model = tiny.make_model(1)
        model.compile(jit_compile=False)
        expected = model.test_on_batch(*batch)
        found = model.test_on_batch(*one_view(*batch))
        self.assertAllClose(found, expected)
        model.train_on_batch(*batch)
        model.train_on_batch(*one_view(*batch))

    def test_images_of_unknown_rank(self):
        def forget(x, y, w):
            return tf.py_function(lambda x: x, [x], x.dtype), y, w

        model = tiny.make_model(1)
        model.compile(jit_compile=False)
        data = toy.make_dataset(toy.make_batch(geometry=False))
        with self.assertRaisesRegex(ValueError, "`x` has no static shape"):
            model.evaluate(data.map(forget), verbose=0)
        model.evaluate(data, verbose=0)


def one_view(images, targets, weights):
    return images[:, 0], {n: t[:, 0] for n, t in targets.items()}, weights
