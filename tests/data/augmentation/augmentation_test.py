import numpy as np
import tensorflow as tf

from jtr_keras.data import Augmentation
from jtr_keras.data.augmentation.augmentation import UNCHANGED
from jtr_keras.ops import UNMOVED, resample
from tests import toy
from tests.testing import TestCase


def example():
    images, targets, _ = toy.make_batch([(1, 1, 1, 1)], views=1)
    names = [task.name for task in toy.make_tasks()]
    return images[0, 0], {name: targets[name][0, 0] for name in names}


def made(augmentation, count, seed):
    """Images, annotations and geometry of the example's views."""
    image, targets = example()
    views = augmentation.draw(toy.SIZE, count, seed)
    moved = {
        task.name: views.targets(targets[task.name], task)
        for task in toy.make_tasks()
    }
    return views.images(image), moved, views.geometry


def views(augmentation, seed=0, count=3):
    return made(augmentation, count, tf.constant([seed, 1]))[:2]


class AugmentationTest(TestCase):
    def test_unchanged(self):
        image, targets = example()
        images, moved = views(UNCHANGED)
        for view in range(3):
            self.assertAllClose(images[view], image)
            for name, target in targets.items():
                np.testing.assert_allclose(moved[name][view], target, atol=1e-6)

    def test_mirror(self):
        image, targets = example()
        images, moved = views(Augmentation((1.0,), 1.0, 0), count=2)
        self.assertAllClose(images[0], image[:, ::-1])
        self.assertAllClose(images[1], image)  # Mirrored twice.
        self.assertAllEqual(moved["depth"][0], targets["depth"][:, ::-1])
        normals = targets["normals"][:, ::-1] * np.array([-1.0, 1.0, 1.0])
        self.assertAllClose(moved["normals"][0], normals, atol=1e-6)

    def test_colours_leave_annotations_alone(self):
        images, moved = views(Augmentation((1.0,), 0.0, 2))
        image, targets = example()
        for view in range(3):
            self.assertAllEqual(
                moved["segmentation"][view], targets["segmentation"]
            )
        self.assertGreater(np.abs(images - image[None]).max(), 0.01)

    def test_later_views_are_cut_out_of_the_first(self):
        _, moved = views(Augmentation((1.5,), 0.0, 0), count=2)
        first, second = (moved["depth"][view].numpy() for view in (0, 1))
        allowed = np.unique(first) / np.float32(1.5)
        for value in np.unique(second):
            self.assertLess(np.abs(allowed - value).min(), 1e-6)

    def test_further_views_may_have_zooms_of_their_own(self):
        _, targets = example()
        augmentation = Augmentation((1.5,), 0.5, 0, further_zooms=(1.0, 1.2))
        seen = set()
        for seed in range(8):
            _, moved, geometry = made(augmentation, 3, tf.constant([seed, 1]))
            seen |= {round(float(zoom), 3) for zoom in geometry[1:, 1]}
            allowed = np.unique(targets["depth"]) / np.float32(1.5)
            for value in np.unique(moved["depth"][0]):
                self.assertLess(np.abs(allowed - value).min(), 1e-6)
        self.assertEqual(seen, {1.0, 1.2})

    def test_geometry_moves_the_first_view_into_the_others(self):
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
        function = tf.function(lambda seed: made(Augmentation(), 2, seed))
        spec = tf.TensorSpec((2,), tf.int32)
        outputs = function.get_concrete_function(spec).structured_outputs
        images, moved, geometry = outputs
        self.assertEqual(geometry.shape, (2, 4))
        self.assertEqual(images.shape, (2, *toy.SIZE, 3))
        self.assertEqual(moved["normals"].shape, (2, *toy.SIZE, 3))

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`zooms`.*0.5"):
            Augmentation(zooms=(0.5,))
        with self.assertRaisesRegex(ValueError, "`flip`.*2"):
            Augmentation(flip=2)
