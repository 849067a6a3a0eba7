import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras.data import UNCHANGED, Augmentation, with_views
from jtr_keras.types import GEOMETRY, IMAGES
from tests import toy
from tests.testing import TestCase


def examples(count=4):
    x, y, weights = toy.make_batch(np.eye(4)[:count], views=1, geometry=False)
    y = {name: value[:, 0] for name, value in y.items()}
    return tf.data.Dataset.from_tensor_slices((x[:, 0], y, weights))


class WithViewsTest(TestCase):
    def test_unchanged_views_are_the_example(self):
        data = with_views(
            examples(), toy.make_tasks(), 3, augmentation=UNCHANGED
        )
        for (x, y, weights), (image, targets, labels) in zip(
            data, examples(), strict=True
        ):
            self.assertAllClose(x[IMAGES], np.stack([image] * 3), atol=1e-6)
            self.assertEqual(set(y), set(targets))
            for name, label in labels.items():
                self.assertAllClose(y[name], np.stack([targets[name]] * 3))
                self.assertAllEqual(weights[name], label)

    def test_geometry_tells_how_the_second_view_was_made(self):
        moves = Augmentation(zooms=(2.0,), num_photometric=0)
        data = with_views(examples(), toy.make_tasks(), 2, moves, seed=0)
        x, _, _ = next(iter(data.batch(4)))
        geometry, images = x[GEOMETRY], x[IMAGES]
        self.assertAllEqual(geometry[:, 0], [[0.0, 1.0, 0.0, 0.0]] * 4)
        again = jtr.ops.resample(images[:, 0], geometry[:, 1])
        self.assertAllClose(again, images[:, 1], atol=1e-5)
        self.assertGreater(np.abs(images[:, 0] - images[:, 1]).max(), 0.1)

    def test_views_follow_the_seed_and_differ_between_epochs(self):
        first, same = (
            with_views(examples(), toy.make_tasks()[:1], seed=3)
            for _ in range(2)
        )
        epoch, again, second = (
            np.stack([x[IMAGES] for x, _, _ in data])
            for data in (first, same, first)
        )
        self.assertAllEqual(epoch, again)
        self.assertGreater(np.abs(epoch - second).max(), 0.1)

    def test_trains_what_needs_the_geometry(self):
        model = jtr.MultiTaskModel(
            jtr.models.UNet(widths=(4, 8)),
            toy.make_tasks()[1:2],
            jtr.regularization.ViewConsistency(),
            head_filters=4,
        )
        model.compile(optimizer=keras.optimizers.Adam(), jit_compile=False)
        data = with_views(examples(), model.tasks)
        history = model.fit(data.batch(2, drop_remainder=True), verbose=0)
        self.assertTrue(np.isfinite(history.history["loss"]).all())

    @parameterized.parameters(
        (lambda d: d.batch(2), r"`dataset` must have images of static shape"),
        (lambda d: d.map(lambda x, y, w: x), r"elements `\(x, y, sample_wei"),
        (lambda d: d.map(lambda x, y, w: (x, {}, w)), r"`y\['.*'\]` must have"),
    )
    def test_errors(self, change, message):
        with self.assertRaisesRegex(ValueError, message):
            with_views(change(examples()), toy.make_tasks())
