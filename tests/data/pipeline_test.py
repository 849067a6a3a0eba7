import keras
import numpy as np
import tensorflow as tf

from jtr_keras.data import UNCHANGED, Augmentation, pipeline
from jtr_keras.data.pipeline import EpochCounter
from jtr_keras.ops import UNMOVED
from jtr_keras.types import GEOMETRY, IMAGES
from tests import toy
from tests.data.source import RandomSource
from tests.testing import TestCase

# Tracing takes long, most of all that of operations on colours.
GEOMETRIC = Augmentation(num_photometric=0)
DEPTH = toy.make_tasks()[1:2]
VIEWS = {"num_views": 2, "training": True, "augmentation": GEOMETRIC}


class OneTaskOnly(RandomSource):
    """Fails when the depth of another image than the first is read."""

    def read(self, index, name):
        if name == "depth":
            with tf.control_dependencies(
                [tf.debugging.assert_equal(index, 0 * index)]
            ):
                return super().read(index, name)
        return super().read(index, name)


def make(count=5, **options):
    return pipeline(
        options.pop("source", RandomSource(count)),
        options.pop("tasks", toy.make_tasks()),
        **({"batch_size": 2} | options),
    )


def arrays(dataset):
    return [tf.nest.map_structure(lambda x: x.numpy(), b) for b in dataset]


def images_of(x):
    return x[IMAGES] if isinstance(x, dict) else x


def images(dataset):
    return np.concatenate([images_of(x) for x, *_ in arrays(dataset)])


class PipelineTest(TestCase):
    def test_shapes_are_static_for_training(self):
        data = make(num_views=3, training=True, augmentation=GEOMETRIC)
        x, y, weights = data.element_spec
        self.assertEqual(x[IMAGES].shape, (2, 3, *toy.SIZE, 3))
        self.assertEqual(x[GEOMETRY].shape, (2, 3, 4))
        self.assertEqual(set(y), {task.name for task in toy.make_tasks()})
        self.assertEqual(y["segmentation"].shape, (2, 3, *toy.SIZE, 1))
        self.assertEqual(y["segmentation"].dtype, tf.int32)
        self.assertEqual(weights["depth"].shape, (2,))
        self.assertEqual(int(data.cardinality()), 2)
        self.assertLen(arrays(data), 2)

    def test_training_samples_views_and_evaluation_does_not(self):
        for training in (True, False):
            data = make(tasks=DEPTH, num_views=2, training=training)
            x = images(data.take(1))
            different = np.abs(x[:, 0] - x[:, 1]).max() > 0.01
            self.assertEqual(different, training)

    def test_numbers_below_one(self):
        for name in ("batch_size", "num_views"):
            message = f"`{name}` must be >= 1; got 0"
            with self.assertRaisesRegex(ValueError, message):
                make(**{name: 0})

    def test_evaluation_keeps_order_and_every_image(self):
        data = make()
        self.assertEqual(int(data.cardinality()), 3)
        self.assertAllClose(images(data), RandomSource(5).arrays["image"])

    def test_images_without_labels_can_be_left_out(self):
        labels = np.zeros((5, 4))
        labels[[1, 4], [0, 2]] = 1.0
        data = make(labels=labels, labelled_only=True)
        self.assertEqual(int(data.cardinality()), 1)
        self.assertAllClose(
            images(data), RandomSource(5).arrays["image"].numpy()[[1, 4]]
        )

    def test_epochs_differ_and_can_be_played_again(self):
        data = make(tasks=DEPTH, **VIEWS)
        first, second = images(data), images(data)
        self.assertGreater(np.abs(first - second).max(), 0.01)
        data.epochs.epoch = 0
        self.assertAllEqual(images(data), first)
        data.epochs.epoch = 1
        self.assertAllEqual(images(data), second)
        other = images(make(tasks=DEPTH, seed=1, **VIEWS))
        self.assertGreater(np.abs(first - other).max(), 0.01)

    def test_endless_batches_are_those_of_one_epoch_after_the_other(self):
        data = make(tasks=DEPTH, **VIEWS)
        expected = [images(data) for _ in range(3)]
        data.epochs.epoch = 0
        batches = iter(data.endless)
        for epoch in expected:
            seen = [
                next(batches)[0][IMAGES] for _ in range(int(data.cardinality()))
            ]
            self.assertAllEqual(tf.concat(seen, 0), epoch)
            images(data)  # Another iteration does not disturb.
        self.assertFalse(data.endless.options().autotune.enabled)
        self.assertFalse(hasattr(make(), "endless"))

    def test_every_image_is_seen_once_an_epoch(self):
        seen = images(make(count=6, training=True, augmentation=UNCHANGED))
        expected = RandomSource(6).arrays["image"].numpy()
        for image in expected:
            self.assertEqual(sum(np.allclose(image, x) for x in seen), 1)

    def test_unlabelled_annotations_are_never_read(self):
        labels = np.zeros((5, 4))
        labels[0, 1] = labels[3, 0] = 1
        data = make(source=OneTaskOnly(5), labels=labels)
        (_, y, weights), *_ = arrays(data)
        self.assertAllEqual(weights["depth"], [1.0, 0.0])
        self.assertGreater(y["depth"][0].max(), 0.0)
        self.assertAllEqual(y["depth"][1], np.zeros((*toy.SIZE, 1)))
        labels[1, 1] = 1
        with self.assertRaises(tf.errors.InvalidArgumentError):
            arrays(make(source=OneTaskOnly(5), labels=labels))

    def test_float64_as_keras_s_default(self):
        tasks = toy.make_tasks()[1:3]
        expected = arrays(make(tasks=tasks, **VIEWS).take(1))[0]
        keras.config.set_floatx("float64")
        self.addCleanup(keras.config.set_floatx, "float32")
        found = arrays(make(tasks=tasks, **VIEWS).take(1))[0]
        for part, other in zip(found, expected, strict=True):
            tf.nest.map_structure(
                lambda x, y: self.assertEqual(x.dtype, y.dtype), part, other
            )
        np.testing.assert_allclose(
            found[1]["normals"], expected[1]["normals"], atol=1e-6
        )

    def test_no_thread_tunes(self):
        # Deleting the iterator would wait for it.
        self.assertFalse(make().options().autotune.enabled)

    def test_views(self):
        (x, y, _), *_ = arrays(make(num_views=2))
        self.assertAllEqual(x[IMAGES][:, 0], x[IMAGES][:, 1])
        self.assertAllEqual(x[GEOMETRY], np.tile(UNMOVED, (2, 2, 1)))
        self.assertAllEqual(y["depth"][:, 0], y["depth"][:, 1])

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`batch_size` is 9.*5 images"):
            make(batch_size=9, training=True)
        with self.assertRaisesRegex(ValueError, r"shape \(5, 4\)"):
            make(labels=np.ones((4, 4)))


class EpochCounterTest(TestCase):
    def test_counts_iterations(self):
        counter = EpochCounter()
        dataset = counter.dataset().take(1)
        seen = [int(epoch) for _ in range(3) for epoch in dataset]
        self.assertEqual(seen, [0, 1, 2])
        self.assertEqual(counter.epoch, 3)

    def test_can_be_set(self):
        counter = EpochCounter()
        dataset = counter.dataset().take(1)
        counter.epoch = 7
        self.assertEqual([int(epoch) for epoch in dataset], [7])
        self.assertEqual(counter.epoch, 8)

    def test_an_iteration_counts_on_whatever_others_do(self):
        counter = EpochCounter()
        counter.epoch = 2
        one, other = iter(counter.dataset()), iter(counter.dataset())
        self.assertEqual([int(next(one)) for _ in range(3)], [2, 3, 4])
        self.assertEqual(int(next(other)), 3)
