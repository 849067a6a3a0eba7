import numpy as np
import tensorflow as tf

from jtr_keras.regularization.common.encoding import (
    encode_targets,
    split_by_task,
)
from jtr_keras.tasks import Depth, SemanticSegmentation, SurfaceNormals
from tests import toy
from tests.testing import TestCase


class EncodeTargetsTest(TestCase):
    def test_void_pixels_have_the_code_of_nothing(self):
        for task, targets, expected in (
            (
                SemanticSegmentation(2),
                [[1], [-1], [255]],
                [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]],
            ),
            # Phi(1), and Phi(-2) of depth 0.
            (
                Depth(mean=2.0, stddev=1.0),
                [[3.0], [0.0], [np.nan]],
                [[0.841345], [0.022750], [0.022750]],
            ),
            (
                SurfaceNormals(),
                [[0.0, 0.6, -0.8], [0.0, 0.0, 0.0], [np.inf, 0.0, 1.0]],
                [[0.5, 0.8, 0.1], [0.5] * 3, [0.5] * 3],
            ),
        ):
            targets = tf.constant([[targets]], task.target_dtype)
            code = encode_targets(task, targets)
            self.assertAllClose(code, [[expected]], atol=1e-5, msg=task.name)


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
