import numpy as np
import tensorflow as tf

from jtr_keras.ops.coordinates import (
    coordinate_channels,
    image_gradients,
)
from tests.testing import TestCase


class CoordinatesTest(TestCase):
    def test_coordinates(self):
        found = coordinate_channels(tf.zeros((2, 3, 5, 4)))
        self.assertEqual(found.shape, (2, 3, 5, 2))
        self.assertAllClose(found[1, :, 0, 0], [-1.0, 0.0, 1.0])
        self.assertAllClose(found[1, 0, :, 1], [-1.0, -0.5, 0.0, 0.5, 1.0])

    def test_gradients_of_a_plane(self):
        rows, columns = np.mgrid[:8, :12].astype("float32")
        plane = tf.constant(rows / 8 - columns / 6)[None, ..., None]
        down, right = np.moveaxis(image_gradients(plane)[0, 1:-1, 1:-1], -1, 0)
        self.assertAllClose(down, np.full((6, 10), np.tanh(0.5)))
        self.assertAllClose(right, np.full((6, 10), np.tanh(-1.0)))

    def test_gradients_at_the_border_see_no_more_than_there_is(self):
        constant = tf.fill((1, 4, 6, 3), 5.0)
        self.assertAllEqual(image_gradients(constant), tf.zeros((1, 4, 6, 6)))
