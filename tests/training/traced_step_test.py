import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training.traced_step import TracedStep
from tests import toy
from tests.testing import TestCase


def one_view(images, targets, weights):
    return images[:, 0], {n: t[:, 0] for n, t in targets.items()}, weights


class TracedStepTest(TestCase):
    def test_a_function_for_each_number_of_axes_and_views(self):
        made = []

        def make():
            made.append(len(made))
            return lambda iterator, index=made[-1]: (index, next(iterator))

        step = TracedStep(make)
        shapes = [(2, 3, 4, 4, 3), (2, 4, 4, 3), (2, 2, 4, 4, 3), (1, 5, 5, 3)]
        for expected, shape in zip((0, 1, 2, 1), shapes, strict=True):
            images = tf.ones(shape)
            dataset = tf.data.Dataset.from_tensors({"x": images})
            for iterator in (iter(dataset), (b for b in [{"x": images}])):
                index, batch = step(iterator)
                self.assertEqual(index, expected)
                self.assertEqual(batch["x"].shape, shape)

    @parameterized.parameters(1, 2)
    def test_evaluating_with_and_without_views(self, steps_per_execution):
        batch = toy.make_batch()
        model = toy.make_model()
        model.compile(
            jit_compile=False, steps_per_execution=steps_per_execution
        )
        views = toy.make_dataset(batch)
        without = toy.make_dataset(one_view(*batch))
        expected = model.evaluate(views, verbose=0)
        self.assertAllClose(model.evaluate(without, verbose=0), expected)
        self.assertAllClose(model.evaluate(views, verbose=0), expected)

    def test_batches_with_and_without_views(self):
        batch = toy.make_batch()
        model = toy.make_model()
        model.compile(jit_compile=False)
        expected = model.test_on_batch(*batch)
        found = model.test_on_batch(*one_view(*batch))
        self.assertAllClose(found, expected)
        model.train_on_batch(*batch)
        model.train_on_batch(*one_view(*batch))

    def test_images_of_unknown_rank(self):
        def forget(x, y, w):
            return tf.py_function(lambda x: x, [x], x.dtype), y, w

        model = toy.make_model()
        model.compile(jit_compile=False)
        data = toy.make_dataset(toy.make_batch())
        with self.assertRaisesRegex(ValueError, "`x` has no static shape"):
            model.evaluate(data.map(forget), verbose=0)
        model.evaluate(data, verbose=0)
