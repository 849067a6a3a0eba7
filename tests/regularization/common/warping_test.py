import numpy as np
import tensorflow as tf

from jtr_keras.ops import UNMOVED
from jtr_keras.regularization.common.warping import warp_to_view
from jtr_keras.tasks import Depth, SurfaceNormals
from tests.testing import TestCase

DEPTH = Depth(mean=2.0, stddev=1.0)
MIRRORED = (1.0, 1.0, 0.0, 0.0)
ZOOMED = (0.0, 2.0, 0.0, 0.0)


class WarpToViewTest(TestCase):
    def test_depth_shrinks_by_the_zoom(self):
        depth = tf.fill((1, 4, 4, 1), 3.0)
        found = warp_to_view(DEPTH, depth, tf.constant([ZOOMED]))
        self.assertAllClose(found, depth / 2.0)

    def test_normals_turn_with_the_mirror(self):
        normals = tf.tile(tf.constant([[[[0.6, 0.0, -0.8]]]]), (1, 4, 4, 1))
        found = warp_to_view(SurfaceNormals(), normals, tf.constant([MIRRORED]))
        self.assertAllClose(found, normals * [-1.0, 1.0, 1.0], atol=1e-6)

    def test_means_of_normals_become_unit_vectors(self):
        # A window of two columns of four, enlarged: between the two of them
        # lie means, which are shorter.
        normals = np.zeros((1, 1, 4, 3), "float32")
        normals[..., 0, :], normals[..., 1:, :] = [0, 0, -1], [0, 1, 0]
        found = warp_to_view(SurfaceNormals(), normals, tf.constant([ZOOMED]))
        lengths = np.linalg.norm(found, axis=-1)
        self.assertAllClose(lengths, np.ones((1, 1, 4)))
        third = np.array([0.0, 1.0, -2.0]) / 5.0**0.5
        self.assertAllClose(found[0, 0, 1], third, atol=1e-5)

    def test_each_image_has_its_own_geometry(self):
        depth = tf.reshape(tf.range(1.0, 9.0), (2, 1, 4, 1))
        geometry = tf.constant([UNMOVED, MIRRORED])
        found = warp_to_view(DEPTH, depth, geometry)
        self.assertAllClose(found[0], depth[0])
        self.assertAllClose(found[1], depth[1, :, ::-1])

    def test_pixels_that_make_no_whole_patch(self):
        # Of seven columns, each worth its number, six make three patches.
        patches = tf.reshape([0.5, 2.5, 4.5], (1, 1, 3, 1))
        geometry = tf.constant([MIRRORED])
        found = warp_to_view(DEPTH, patches, geometry, 2, image_size=(2, 7))
        self.assertAllClose(found[0, 0, :, 0], [4.5, 3.5, 1.5], atol=1e-5)
