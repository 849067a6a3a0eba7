import tensorflow as tf

from jtr_keras.regularization.common.encoding import split_by_task
from tests import toy
from tests.testing import TestCase


class SplitByTaskTest(TestCase):
    def test_each_task_has_its_channels(self):
        stack = tf.reshape(tf.range(8.0), (1, 1, 1, 8))
        parts = split_by_task(toy.make_tasks(), stack)
        expected = [[0.0, 1.0, 2.0], [3.0], [4.0, 5.0, 6.0], [7.0]]
        for part, values in zip(parts, expected, strict=True):
            self.assertAllEqual(part, [[[values]]])

    def test_one_task_has_all(self):
        stack = tf.ones((2, 4, 4, 3))
        (part,) = split_by_task(toy.make_tasks()[:1], stack)
        self.assertAllEqual(part, stack)
