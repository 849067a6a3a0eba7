import numpy as np
import tensorflow as tf

from jtr_keras.ops import first_views, view
from tests.testing import TestCase

MAPS = tf.constant(np.arange(24.0).reshape(2, 3, 2, 2, 1))


class ViewsTest(TestCase):
    def test_equals_slicing(self):
        for index in range(3):
            self.assertAllEqual(view(MAPS, index), MAPS[:, index])
            self.assertAllEqual(
                first_views(MAPS, index + 1), MAPS[:, : index + 1]
            )

    def test_gradient_reaches_the_view_alone(self):
        with tf.GradientTape() as tape:
            tape.watch(MAPS)
            total = tf.reduce_sum(view(MAPS, 1))
        gradient = tape.gradient(total, MAPS)
        self.assertAllEqual(gradient[:, 1], np.ones((2, 2, 2, 1)))
        self.assertEqual(float(tf.reduce_sum(gradient)), 8.0)
