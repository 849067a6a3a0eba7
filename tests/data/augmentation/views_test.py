import hypothesis
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.data.augmentation.views import Window
from jtr_keras.tasks import Depth, SemanticSegmentation, SurfaceNormals
from tests.testing import TestCase

DEPTH = Depth(mean=2.0, stddev=1.0)
CASES = tuple(
    (size, zoom)
    for size in ((96, 128), (288, 384), (128, 256))
    for zoom in (1.0, 1.2, 1.5)
)


def crop(values, window):
    """What the window shows, and its size, computed with integers."""
    height, width = (int(side) for side in window.window)
    top, left = (int(side) for side in window.corner)
    return values[top : top + height, left : left + width]


@parameterized.parameters(*CASES)
class WindowTest(TestCase):
    def setUp(self):
        super().setUp()
        self.rng = np.random.default_rng(0)

    def window(self, size, zoom):
        return Window(size, tf.constant(zoom), tf.constant([0.3, 0.9]))

    def test_size_is_rounded_down(self, size, zoom):
        expected = [int(side * 10 // round(zoom * 10)) for side in size]
        self.assertAllEqual(self.window(size, zoom).window, expected)

    def test_bilinear_is_that_of_aligned_corners(self, size, zoom):
        window = self.window(size, zoom)
        image = self.rng.uniform(size=(*size, 3)).astype("float32")
        expected = tf.compat.v1.image.resize(
            crop(image, window), size, align_corners=True
        )
        self.assertAllClose(window.bilinear(image), expected, atol=1e-4)

    def test_nearest_is_that_of_the_first_version(self, size, zoom):
        window = self.window(size, zoom)
        labels = self.rng.integers(0, 99, (*size, 1))
        expected = tf.compat.v1.image.resize(
            crop(labels, window), size, method="nearest"
        )
        self.assertAllEqual(window.nearest(labels), expected)


class TargetTest(TestCase):
    def test_depth_shrinks_by_the_zoom(self):
        window = Window((4, 4), tf.constant(2.0), tf.zeros(2))
        depth = np.full((4, 4, 1), 3.0, "float32")
        depth[0, 0] = 0.0
        moved = window.target(depth, DEPTH)
        self.assertAllEqual(moved[:2, :2, 0], np.zeros((2, 2)))
        self.assertAllEqual(moved[2:, :, 0], np.full((2, 4), 1.5))

    def test_labels_are_never_mixed(self):
        window = Window((6, 6), tf.constant(1.5), tf.zeros(2))
        labels = np.where(np.eye(6)[..., None] > 0, 7, -1).astype("int32")
        moved = window.target(labels, SemanticSegmentation(num_classes=8))
        self.assertEqual(set(np.unique(moved)), {-1, 7})

    @hypothesis.settings(max_examples=20, deadline=None)
    @hypothesis.given(
        seed=hypothesis.strategies.integers(0, 99),
        zoom=hypothesis.strategies.sampled_from([1.0, 1.2, 1.5]),
    )
    def test_normals_stay_unit_vectors_and_void_does_not_bleed(
        self, seed, zoom
    ):
        rng = np.random.default_rng(seed)
        # Two directions, one of them beside void: a mixture with void would
        # have another direction or length.
        normals = np.zeros((8, 8, 3), "float32")
        normals[..., 2] = -1.0
        normals[rng.uniform(size=(8, 8)) < 0.4] = 0.0
        place = tf.constant(rng.uniform(size=2), "float32")
        window = Window((8, 8), tf.constant(zoom), place)
        moved = window.target(normals, SurfaceNormals()).numpy()
        void = window.nearest((normals == 0).all(-1, keepdims=True))[..., 0]
        self.assertAllEqual((moved == 0).all(-1), void)
        self.assertAllClose(moved[~void.numpy()][:, 2], -1.0)
