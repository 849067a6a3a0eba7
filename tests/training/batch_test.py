import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training.batch import (
    fold_views,
    require_views,
    unfold_views,
    unpack,
)
from jtr_keras.types import GEOMETRY, IMAGES
from tests import toy
from tests.testing import TestCase

TASKS = toy.make_tasks()


def make_batch(geometry=False):
    return toy.make_batch(geometry=geometry)


class UnpackTest(TestCase):
    def test_images_without_views_get_an_axis(self):
        images, targets, weights = make_batch()
        one_view = {name: value[:, 0] for name, value in targets.items()}
        batch = unpack((images[:, 0], one_view, weights), TASKS)
        self.assertEqual(batch.images.shape, (3, 1, *toy.SIZE, 3))
        self.assertAllEqual(batch.targets["depth"], targets["depth"][:, :1])
        self.assertAllEqual(batch.labelled["depth"], weights["depth"])
        self.assertIsNone(batch.geometry)

    def test_inputs_with_and_without_geometry(self):
        inputs, targets, weights = make_batch(geometry=True)
        images = inputs[IMAGES]
        batch = unpack((inputs, targets, weights), TASKS)
        self.assertAllEqual(batch.images, images)
        self.assertAllEqual(batch.geometry, inputs[GEOMETRY])
        for x in (images, {IMAGES: images}):
            batch = unpack((x, targets, weights), TASKS)
            self.assertAllEqual(batch.images, images)
            self.assertIsNone(batch.geometry)

    def test_without_weights_every_image_has_every_label(self):
        images, targets, _ = make_batch()
        batch = unpack((images, targets), TASKS)
        for task in TASKS:
            self.assertAllEqual(batch.labelled[task.name], [1.0, 1.0, 1.0])

    def test_entries_that_are_no_tasks_are_left_out(self):
        images, targets, weights = make_batch()
        batch = unpack((images, targets | {"extra": 0}, weights), TASKS)
        names = [task.name for task in TASKS]
        self.assertEqual(list(batch.targets), names)
        self.assertEqual(list(batch.labelled), names)

    @parameterized.parameters("uint8", "uint16", "int64", "float64")
    def test_any_dtype_of_classes(self, dtype):
        images, targets, weights = make_batch()
        classes = tf.maximum(targets["segmentation"], 0)
        targets["segmentation"] = tf.cast(classes, dtype)
        found = unpack((images, targets, weights), TASKS).targets
        # Only the first image has this label; unsigned, -1 would be 255.
        self.assertAllEqual(found["segmentation"][:1], classes[:1])
        void = -tf.ones_like(classes[1:])
        self.assertAllEqual(found["segmentation"][1:], void)
        self.assertDType(found["segmentation"], "int32")

    def test_classes_that_are_not_a_number_are_void(self):
        images, targets, weights = make_batch()
        classes = np.array(targets["segmentation"], "float32")
        classes[:, :, 1] = np.nan
        targets["segmentation"] = tf.constant(classes)
        found = unpack((images, targets, weights), TASKS).targets
        found = found["segmentation"]
        self.assertAllEqual(found[:, :, 1], classes[:, :, 0])
        self.assertAllEqual(found[:, :, 2:], classes[:, :, 2:])

    @parameterized.parameters(0.0, np.nan, 3e38)
    def test_what_has_no_label_is_void(self, value):
        images, targets, weights = make_batch()
        missing = weights["depth"].numpy() == 0
        hidden = missing.reshape(3, 1, 1, 1, 1)
        given = tf.where(hidden, np.float32(value), targets["depth"])
        batch = unpack((images, targets | {"depth": given}, weights), TASKS)
        self.assertAllEqual(batch.targets["depth"], targets["depth"])

    @parameterized.parameters("float16", "float64", "int64")
    def test_any_dtype_of_measurements_geometry_and_weights(self, dtype):
        inputs, targets, weights = make_batch(geometry=True)
        depth = tf.cast(targets["depth"], dtype)
        geometry = tf.cast(inputs[GEOMETRY], dtype)
        counts = {name: tf.cast(w, dtype) for name, w in weights.items()}
        x = inputs | {GEOMETRY: geometry}
        batch = unpack((x, targets | {"depth": depth}, counts), TASKS)
        for found, expected in (
            (batch.targets["depth"], depth),
            (batch.geometry, geometry),
            *((batch.labelled[name], w) for name, w in weights.items()),
        ):
            self.assertAllEqual(found, expected)
            self.assertDType(found, "float32")

    @parameterized.parameters("float16", "float64")
    def test_images_are_cast_to_the_default_float(self, dtype):
        images, *rest = make_batch()
        found = unpack((tf.cast(images, dtype), *rest), TASKS).images
        self.assertDType(found, "float32")
        self.assertAllClose(found, images, atol=1e-3)

    def test_nothing_is_narrowed_where_float64_is_the_default(self):
        self.addCleanup(keras.config.set_floatx, keras.config.floatx())
        keras.config.set_floatx("float64")
        images, targets, weights = make_batch()
        images = tf.cast(images, "float64") / 3.0
        depth = tf.cast(targets["depth"], "float64") / 3.0
        batch = unpack((images, targets | {"depth": depth}, weights), TASKS)
        self.assertAllEqual(batch.images, images)
        self.assertAllEqual(batch.targets["depth"], depth)

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
            lambda x, y, w: ({"image": x}, y, w),
            r"`x` must be images, or a dict of 'images'.*got \['image'\]",
        ),
        (
            lambda x, y, w: ({IMAGES: x, "depth": x}, y, w),
            r"or a dict of 'images' and.*got \['depth', 'images'\]",
        ),
        (
            lambda x, y, w: ({IMAGES: x, GEOMETRY: w["depth"]}, y, w),
            r"`x\['geometry'\]` must have shape \(3, 3, 4\); got \(3,\)",
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
            unpack(change(*make_batch()), TASKS)

    def test_shapes_that_are_not_static(self):
        images, targets, weights = make_batch()

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


class RequireViewsTest(TestCase):
    def test_enough_views(self):
        require_views(2, 2)
        require_views(1, 3)
        with self.assertRaisesRegex(ValueError, "need 3 views.* have 2"):
            require_views(3, 2)
        with self.assertRaisesRegex(ValueError, "known number of views"):
            require_views(1, None)


class ViewsTest(TestCase):
    def test_folding_keeps_views_of_an_image_together(self):
        images = np.arange(12).reshape(2, 3, 2)
        folded = fold_views(images)
        self.assertAllEqual(folded[:3], images[0])
        self.assertAllEqual(unfold_views(folded, 3), images)
        nested = {"a": {"b": folded}, "c": -folded}
        found = unfold_views(nested, 3)
        self.assertAllEqual(found["a"]["b"], images)
        self.assertAllEqual(found["c"], -images)
