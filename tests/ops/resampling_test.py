import numpy as np
import tensorflow as tf

from jtr_keras.ops import UNMOVED, resample
from tests.testing import TestCase

MAPS = tf.reshape(tf.range(16.0), (1, 4, 4, 1))


class ResampleTest(TestCase):
    def test_unmoved(self):
        self.assertAllEqual(resample(MAPS, tf.constant([UNMOVED])), MAPS)

    def test_window_by_hand(self):
        # A window of 2x2 at row 1, column 0, corners on corners.
        moved = resample(MAPS, tf.constant([[0.0, 2.0, 1.0, 0.0]]))
        rows = 4.0 + np.linspace(0.0, 4.0, 4)[:, None]
        expected = rows + np.linspace(0.0, 1.0, 4)
        self.assertAllClose(moved[0, ..., 0], expected, atol=1e-5)

    def test_window_is_cut_out_of_the_mirrored_map(self):
        moved = resample(MAPS, tf.constant([[1.0, 2.0, 0.0, 0.0]]))
        found = moved.numpy()[0, 0, [0, -1], 0]
        self.assertAllClose(found, [3.0, 2.0], atol=1e-5)

    def test_pixels_that_make_no_whole_cell(self):
        # Of seven columns, each worth its number, six make three cells.
        cells = tf.reshape([0.5, 2.5, 4.5], (1, 1, 3, 1))
        mirrored = tf.constant([[1.0, 1.0, 0.0, 0.0]])
        moved = resample(cells, mirrored, stride=2, image_size=(2, 7))
        # The first shows 5.5, which is beyond the last one's centre.
        self.assertAllClose(moved[0, 0, :, 0], [4.5, 3.5, 1.5], atol=1e-5)

    def test_each_image_has_its_own_geometry(self):
        both = tf.constant([UNMOVED, (1.0, 1.0, 0.0, 0.0)])
        moved = resample(tf.repeat(MAPS, 2, axis=0), both)
        self.assertAllEqual(moved[0], MAPS[0])
        self.assertAllEqual(moved[1], MAPS[0, :, ::-1])

    def test_gradient_is_the_transpose(self):
        geometry = tf.constant([[1.0, 1.5, 1.0, 0.0]])
        with tf.GradientTape() as tape:
            tape.watch(MAPS)
            total = tf.reduce_sum(resample(MAPS, geometry))
        self.assertAllClose(tf.reduce_sum(tape.gradient(total, MAPS)), 16.0)
