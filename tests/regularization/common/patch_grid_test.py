import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.regularization.common.patch_grid import (
    PatchGrid,
    feature_ratio,
)
from tests.testing import TestCase


class PatchGridTest(TestCase):
    def test_means_by_hand(self):
        grid = PatchGrid((5, 4), (5, 4), stride=2)
        maps = tf.reshape(tf.range(20.0), (1, 5, 4, 1))
        # The fifth row is in no patch.
        expected = [[2.5, 4.5], [10.5, 12.5]]
        self.assertAllClose(grid.means(maps)[0, ..., 0], expected)
        self.assertAllClose(grid.feature_means(maps)[0, ..., 0], expected)

    @parameterized.parameters(
        ((16, 24), (16, 24), (8, 1)),
        ((16, 24), (4, 6), (8, 4)),
        ((30, 41), (8, 16), (8, 4)),  # Padded to (32, 64).
        ((33, 33), (4, 4), (16, 16)),  # Coarser than the patches; padded to 64.
    )
    def test_features_of_padded_images(self, image, features, expected):
        grid = PatchGrid(image, features, stride=8)
        self.assertEqual((grid.side, grid.ratio), expected)

    @parameterized.parameters(
        ((16, 16), (32, 32), 1),
        ((8, 33), (8, 16), 4),  # Padded to (32, 64): the height alone says 1.
        ((33, 8), (16, 8), 4),
    )
    def test_the_longer_side_tells_the_ratio(self, image, features, expected):
        self.assertEqual(feature_ratio(image, features), expected)

    def test_a_patch_of_features_is_the_patch_of_the_image(self):
        grid = PatchGrid((30, 41), (8, 16), stride=8)
        features = np.random.default_rng(0).normal(size=(2, 8, 16, 3))
        image = features.repeat(4, axis=1).repeat(4, axis=2)[:, :30, :41]
        self.assertAllClose(grid.means(image), grid.feature_means(features))

    def test_small_images_are_refused(self):
        with self.assertRaisesRegex(ValueError, r"at least 8.*\(7, 9\)"):
            PatchGrid((7, 9), (7, 9), stride=8)
