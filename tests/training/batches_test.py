import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training.batches import fold_views, unfold_views, unpack
from jtr_keras.types import GEOMETRY
from tests import toy
from tests.testing import TestCase

TASKS = toy.make_tasks()


class UnpackTest(TestCase):
    def test_images_without_views_get_an_axis(self):
        images, targets, weights = toy.make_batch()
        one_view = {name: value[:, 0] for name, value in targets.items()}
        x, y, labelled = unpack((images[:, 0], one_view, weights), TASKS)
        self.assertEqual(x.shape, (3, 1, *toy.SIZE, 3))
        self.assertAllEqual(y["depth"], targets["depth"][:, :1])
        self.assertAllEqual(labelled["depth"], weights["depth"])

    def test_without_weights_every_image_has_every_label(self):
        images, targets, _ = toy.make_batch()
        _, _, labelled = unpack((images, targets), TASKS)
        for task in TASKS:
            self.assertAllEqual(labelled[task.name], [1.0, 1.0, 1.0])

    def test_entries_that_are_no_tasks_are_left_out(self):
        images, targets, weights = toy.make_batch()
        _, y, _ = unpack((images, targets | {"extra": 0}, weights), TASKS)
        names = [task.name for task in TASKS]
        self.assertEqual(list(y), [*names, GEOMETRY])

    @parameterized.parameters(
        (lambda x, y, w: (x, {"depth": y["depth"]}, w), "`y` must be a dict"),
        (lambda x, y, w: (x, y["depth"], w), "`y` must be a dict"),
        (lambda x, y, w: (x, y, {}), "`sample_weight` must be a dict"),
        (lambda x, y, w: (tf.cast(x, "int32"), y, w), "Divide by 255"),
        (lambda x, y, w: (x[0, 0], y, w), r"`x` must have shape .*\(16, 16, 3"),
        (
            lambda x, y, w: (x, y | {"depth": y["depth"][..., 0]}, w),
            r"`y\['depth'\]` must have shape \(3, 3, 16, 16, 1\)",
        ),
        (
            lambda x, y, w: (x, y, w | {"depth": tf.ones((3, 16, 16))}),
            r"`sample_weight\['depth'\]` must have shape \(3,\); got",
        ),
    )
    def test_errors(self, change, message):
        with self.assertRaisesRegex(ValueError, message):
            unpack(change(*toy.make_batch()), TASKS)


class ViewsTest(TestCase):
    def test_folding_keeps_views_of_an_image_together(self):
        images = np.arange(12).reshape(2, 3, 2)
        folded = fold_views(images)
        self.assertAllEqual(folded[:3], images[0])
        self.assertAllEqual(unfold_views({"a": folded}, 3)["a"], images)
