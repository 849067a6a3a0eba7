import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training import check_batches
from tests import toy
from tests.testing import TestCase

ALL = np.ones((2, 4))


def spoiled(part, task, value, labelled=ALL):
    """A good batch and one with that value in its second image."""
    good = toy.make_batch(ALL, geometry=False)
    bad = tf.nest.map_structure(
        np.array, toy.make_batch(labelled, geometry=False)
    )
    images, targets, weights = bad
    found = {"x": images, "y": targets, "sample_weight": weights}[part]
    if task:
        found[task] = found[task].astype(np.result_type(found[task], value))
    (found[task] if task else found)[1, ...] = value
    return [good, bad]


class CheckBatchesTest(TestCase):
    @parameterized.parameters(
        ("x", None, 255.0, "x of image 1: values must be in"),
        ("x", None, np.nan, "x of image 1: values must be in"),
        ("y", "segmentation", 3, r"y\['segmentation'\] of image 1: class ids"),
        ("y", "segmentation", 0.5, r"class ids .* found \[0.5\]"),
        ("y", "depth", np.nan, r"y\['depth'\] of image 1: depths must be"),
        ("y", "normals", 1.0, r"y\['normals'\] of image 1: normals must have"),
        ("sample_weight", "depth", np.nan, "of image 1: must be finite"),
        ("sample_weight", "depth", -1.0, "not negative; got -1"),
    )
    def test_says_where_and_what(self, part, task, value, message):
        with self.assertRaisesRegex(ValueError, f"^Batch 1, .*{message}"):
            check_batches(spoiled(part, task, value), toy.make_tasks(), 0)

    def test_labels_that_count_are_looked_at(self):
        nothing = np.zeros((2, 4))
        batches = spoiled("y", "depth", np.nan, labelled=nothing)
        check_batches(batches, toy.make_tasks(), verbose=0)

    def test_a_dataset_with_progress(self):
        data = toy.make_dataset(toy.make_batch(), repeats=3)
        check_batches(data, toy.make_tasks())

    def test_shapes_are_those_of_fit(self):
        images, targets, weights = toy.make_batch()
        batch = images, targets | {"depth": targets["normals"]}, weights
        with self.assertRaisesRegex(
            ValueError, r"Batch 0: `y\['depth'\]` must have shape"
        ):
            check_batches([batch], toy.make_tasks(), verbose=0)
