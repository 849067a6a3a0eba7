import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training.batch import fold_views, unfold_views, unpack
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

    @parameterized.parameters("uint8", "uint16", "int64", "float64")
    def test_any_dtype_of_classes(self, dtype):
        images, targets, weights = toy.make_batch()
        classes = tf.maximum(targets["segmentation"], 0)
        targets["segmentation"] = tf.cast(classes, dtype)
        _, y, _ = unpack((images, targets, weights), TASKS)
        # Only the first image has this label; unsigned, -1 would be 255.
        self.assertAllEqual(y["segmentation"][:1], classes[:1])
        self.assertAllEqual(y["segmentation"][1:], -tf.ones_like(classes[1:]))
        self.assertDType(y["segmentation"], "int32")

    def test_classes_that_are_not_a_number_are_void(self):
        images, targets, weights = toy.make_batch()
        classes = np.array(targets["segmentation"], "float32")
        classes[:, :, 1] = np.nan
        targets["segmentation"] = tf.constant(classes)
        _, y, _ = unpack((images, targets, weights), TASKS)
        self.assertAllEqual(y["segmentation"][:, :, 1], classes[:, :, 0])
        self.assertAllEqual(y["segmentation"][:, :, 2:], classes[:, :, 2:])

    @parameterized.parameters("float16", "float64", "int64")
    def test_any_dtype_of_measurements_and_weights(self, dtype):
        images, targets, weights = toy.make_batch()
        changed = ("depth", GEOMETRY)
        given = targets | {n: tf.cast(targets[n], dtype) for n in changed}
        counts = {name: tf.cast(w, dtype) for name, w in weights.items()}
        _, y, labelled = unpack((images, given, counts), TASKS)
        for name in changed:
            self.assertAllEqual(y[name], given[name])
            self.assertDType(y[name], "float32")
        for name, weight in labelled.items():
            self.assertAllEqual(weight, weights[name])
            self.assertDType(weight, "float32")

    @parameterized.parameters("float16", "float64")
    def test_images_are_cast_to_the_default_float(self, dtype):
        images, *rest = toy.make_batch()
        x, *_ = unpack((tf.cast(images, dtype), *rest), TASKS)
        self.assertDType(x, "float32")
        self.assertAllClose(x, images, atol=1e-3)

    def test_nothing_is_narrowed_where_float64_is_the_default(self):
        self.addCleanup(keras.config.set_floatx, keras.config.floatx())
        keras.config.set_floatx("float64")
        images, targets, weights = toy.make_batch()
        depth = tf.cast(targets["depth"], "float64") / 3.0
        x, y, _ = unpack(
            (
                tf.cast(images, "float64") / 3.0,
                targets | {"depth": depth},
                weights,
            ),
            TASKS,
        )
        self.assertAllEqual(x, tf.cast(images, "float64") / 3.0)
        self.assertAllEqual(y["depth"], depth)

    @parameterized.parameters(
        (lambda x, y, w: (x, {"depth": y["depth"]}, w), "`y` must be a dict"),
        (lambda x, y, w: (x, y["depth"], w), "`y` must be a dict"),
        (lambda x, y, w: (x, y, {}), "`sample_weight` must be a dict"),
        (lambda x, y, w: (tf.cast(x, "int32"), y, w), "Divide by 255"),
        (lambda x, y, w: (x[0, 0], y, w), r"`x` must have shape .*\(16, 16, 3"),
        (
            lambda x, y, w: (x[..., :1], y, w),
            r"`x` must have shape \(batch, height, width, 3\) or \(batch, "
            r"views, height, width, 3\); got \(3, 3, 16, 16, 1\)",
        ),
        (
            lambda x, y, w: (tf.transpose(x[:, 0], (0, 3, 1, 2)), y, w),
            r"`x` must have shape .*got \(3, 3, 16, 16\)",
        ),
        (
            lambda x, y, w: (x, y | {GEOMETRY: y[GEOMETRY][:, :2]}, w),
            r"`y\['view_geometry'\]` must have shape \(3, 3, 4\)",
        ),
        (
            lambda x, y, w: (x, y | {"depth": y["depth"][..., 0]}, w),
            r"`y\['depth'\]` must have shape \(3, 3, 16, 16, 1\)",
        ),
        (
            lambda x, y, w: (x, y, w | {"depth": tf.ones((3, 16, 16))}),
            r"`sample_weight\['depth'\]` must have shape \(3,\); got .*"
            "masks of pixels are in the targets",
        ),
    )
    def test_errors(self, change, message):
        with self.assertRaisesRegex(ValueError, message):
            unpack(change(*toy.make_batch()), TASKS)

    def test_shapes_that_are_not_static(self):
        images, targets, weights = toy.make_batch()

        def forget(tensor):
            return tf.py_function(lambda t: t, [tensor], tensor.dtype)

        @tf.function
        def lost(name):
            x = forget(images) if name == "x" else images
            changes = {"depth": forget(targets["depth"])} if name != "x" else {}
            return unpack((x, targets | changes, weights), TASKS)

        for name in ("x", r"y\['depth'\]"):
            with self.assertRaisesRegex(
                ValueError, f"`{name}` has no static shape.*set_shape"
            ):
                lost(name)


class ViewsTest(TestCase):
    def test_folding_keeps_views_of_an_image_together(self):
        images = np.arange(12).reshape(2, 3, 2)
        folded = fold_views(images)
        self.assertAllEqual(folded[:3], images[0])
        self.assertAllEqual(unfold_views({"a": folded}, 3)["a"], images)
