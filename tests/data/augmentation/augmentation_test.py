import keras
import numpy as np
import tensorflow as tf

from jtr_keras.data import UNCHANGED, Augmentation
from jtr_keras.ops import UNMOVED, resample
from tests import toy
from tests.testing import TestCase


def example():
    images, targets, _ = toy.make_batch([(1, 1, 1, 1)], views=1, geometry=False)
    return images[0, 0], {name: y[0, 0] for name, y in targets.items()}


def made(augmentation, count, seed):
    """Images, annotations and geometry of the example's views."""
    image, targets = example()
    views = augmentation.sample_views(toy.SIZE, count, seed)
    warped = {
        task.name: views.targets(targets[task.name], task)
        for task in toy.make_tasks()
    }
    return views.images(image), warped, views.geometry


def views(augmentation, seed=0, count=3):
    return made(augmentation, count, tf.constant([seed, 1]))[:2]


class AugmentationTest(TestCase):
    def test_unchanged(self):
        image, targets = example()
        images, warped = views(UNCHANGED)
        for view in range(3):
            self.assertAllClose(images[view], image)
            for name, target in targets.items():
                np.testing.assert_allclose(
                    warped[name][view], target, atol=1e-6
                )

    def test_mirror(self):
        image, targets = example()
        images, warped = views(Augmentation((1.0,), 1.0, 0), count=2)
        self.assertAllClose(images[0], image[:, ::-1])
        self.assertAllClose(images[1], image)  # Mirrored twice.
        self.assertAllEqual(warped["depth"][0], targets["depth"][:, ::-1])
        normals = targets["normals"][:, ::-1] * np.array([-1.0, 1.0, 1.0])
        self.assertAllClose(warped["normals"][0], normals, atol=1e-6)

    def test_colours_leave_annotations_alone(self):
        images, warped = views(Augmentation((1.0,), 0.0, 2))
        image, targets = example()
        for view in range(3):
            self.assertAllEqual(
                warped["segmentation"][view], targets["segmentation"]
            )
        self.assertGreater(np.abs(images - image[None]).max(), 0.01)

    def test_later_views_are_cut_out_of_the_first(self):
        _, warped = views(Augmentation((1.5,), 0.0, 0), count=2)
        first, second = (warped["depth"][view].numpy() for view in (0, 1))
        allowed = np.unique(first) / np.float32(1.5)
        for value in np.unique(second):
            self.assertLess(np.abs(allowed - value).min(), 1e-6)

    def test_further_views_may_have_zooms_of_their_own(self):
        _, targets = example()
        augmentation = Augmentation((1.5,), 0.5, 0, further_zooms=(1.0, 1.2))
        seen = set()
        for seed in range(8):
            _, warped, geometry = made(augmentation, 3, tf.constant([seed, 1]))
            seen |= {round(float(zoom), 3) for zoom in geometry[1:, 1]}
            allowed = np.unique(targets["depth"]) / np.float32(1.5)
            for value in np.unique(warped["depth"][0]):
                self.assertLess(np.abs(allowed - value).min(), 1e-6)
        self.assertEqual(seen, {1.0, 1.2})

    def test_geometry_warps_the_first_view_to_the_others(self):
        plain = Augmentation(flip=0.5, num_photometric=0)
        for seed in range(5):
            images, _, geometry = made(plain, 3, tf.constant([seed, 1]))
            self.assertAllEqual(geometry[0], UNMOVED)
            first = tf.repeat(images[:1], 3, axis=0)
            self.assertAllClose(resample(first, geometry), images, atol=1e-4)

    def test_seeds(self):
        first, again, other = (views(Augmentation(), s)[0] for s in (1, 1, 2))
        self.assertAllEqual(first, again)
        self.assertGreater(np.abs(first - other).max(), 0.01)

    def test_shapes_are_static(self):
        function = tf.function(
            lambda seed: made(Augmentation(), 2, seed), autograph=False
        )
        spec = tf.TensorSpec((2,), tf.int32)
        outputs = function.get_concrete_function(spec).structured_outputs
        images, warped, geometry = outputs
        self.assertEqual(geometry.shape, (2, 4))
        self.assertEqual(images.shape, (2, *toy.SIZE, 3))
        self.assertEqual(warped["normals"].shape, (2, *toy.SIZE, 3))

    def test_keras_s_default_float_changes_nothing(self):
        plain, seed = Augmentation(num_photometric=1), tf.constant([0, 1])
        images, warped, geometry = made(plain, 3, seed)
        keras.config.set_floatx("float64")
        self.addCleanup(keras.config.set_floatx, "float32")
        wide = made(plain, 3, seed)
        self.assertAllEqual(wide[0], images)
        for task in toy.make_tasks():
            found = wide[1][task.name]
            self.assertEqual(found.dtype.name, task.target_dtype)
            np.testing.assert_allclose(found, warped[task.name], atol=1e-6)
        self.assertAllEqual(wide[2], geometry)

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`zooms`.*0.5"):
            Augmentation(zooms=(0.5,))
        with self.assertRaisesRegex(ValueError, "`flip`.*2"):
            Augmentation(flip=2)
