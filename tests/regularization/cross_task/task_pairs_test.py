import itertools

import keras
import numpy as np
import tensorflow as tf

from jtr_keras.regularization.cross_task.task_pairs import (
    gather_pairs,
    max_active_pairs,
    ordered_pairs,
    pair_indices,
    pair_weights,
    relative_predictions,
    relative_targets,
    select_pairs,
)
from jtr_keras.tasks import Depth, SurfaceNormals
from tests.testing import TestCase


class TaskPairsTest(TestCase):
    def test_order_is_by_rows_without_the_diagonal(self):
        expected = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
        self.assertEqual(ordered_pairs(3), expected)

    def test_no_labels_need_more_pairs_than_the_maximum(self):
        for num_tasks in range(2, 8):
            patterns = itertools.product((0, 1), repeat=num_tasks)
            most = max(sum(p) * (num_tasks - sum(p)) for p in patterns)
            self.assertEqual(max_active_pairs(num_tasks), most)

    def test_weights_are_those_of_targets_of_unlabelled_sources(self):
        labelled = tf.constant([[0.0, 1.0], [0.5, 1.0], [1.0, 0.0]])
        weights = pair_weights(tf.unstack(labelled))
        self.assertAllClose(
            weights,  # (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)
            [[0.5, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]],
        )

    def test_active_pairs_are_selected_with_their_weights(self):
        weights = tf.constant([[0.0, 0.5, 0.0, 2.0], [0.0, 0.0, 1.0, 0.0]])
        index, chosen = select_pairs(weights, 2)
        self.assertAllEqual(index, [[1, 3], [2, 0]])
        self.assertAllClose(chosen, [[0.5, 2.0], [1.0, 0.0]])

    def test_few_pairs_stand_for_all_on_average(self):
        weights = tf.tile([[1.0, 0.0, 2.0, 3.0]], (4000, 1))
        seed = keras.random.SeedGenerator(1)
        index, chosen = select_pairs(weights, 2, seed)
        shares = np.zeros(4)
        np.add.at(shares, index.numpy().ravel(), chosen.numpy().ravel())
        self.assertAllClose(shares / 4000, weights[0], atol=0.1)

    def test_few_pairs_are_enough_for_an_image_with_fewer(self):
        weights = tf.constant([[0.0, 0.0, 0.0, 4.0]])
        index, chosen = select_pairs(weights, 2, seed=1)
        self.assertEqual(int(index[0, 0]), 3)
        self.assertAllClose(chosen, [[4.0, 0.0]])

    def test_sources_and_targets_are_found(self):
        # Two samples of the first task, one of the others; two images.
        codes = ["0t", "0p0", "0p1", "1t", "1p0", "2t", "2p0"]
        sources, targets = pair_indices([2, 1, 1])
        self.assertEqual(
            [codes[i] for i in sources],
            ["0p0", "0p1", "1p0", "1p0", "2p0", "2p0"],
        )
        self.assertEqual(
            [codes[i] for i in targets], ["1t", "2t", "0t", "2t", "0t", "1t"]
        )
        maps = tf.reshape(tf.range(14), (14, 1, 1, 1))  # 2 * code + image
        found = gather_pairs(maps, [sources, targets], [[0, 5], [1, 2]])
        self.assertAllEqual(
            tf.reshape(found, (2, 2, 2)),
            [[[2, 12], [5, 9]], [[6, 6], [11, 1]]],
        )


class RelativeCodesTest(TestCase):
    def test_those_of_depths_are_shares_of_the_images_largest(self):
        depth = Depth(mean=2.3618, stddev=1.5876)
        targets = tf.concat([column(2.0, 0.0, 8.0, np.nan)] * 2, axis=0)
        targets *= tf.constant([1.0, 5.0], shape=(2, 1, 1, 1))
        expected = [[0.25, 0.0, 1.0, 0.0]] * 2
        found = relative_targets(depth.codec, depth, targets)
        self.assertAllClose(tf.reshape(found, (2, 4)), expected)
        found = relative_predictions(depth.codec, column(-2.0, 4.0))
        self.assertAllClose(tf.reshape(found, -1), [-0.5, 1.0])
        nothing = relative_targets(depth.codec, depth, column(0.0, 0.0))
        self.assertAllEqual(nothing, tf.zeros_like(nothing))

    def test_others_are_those_of_the_joint_space(self):
        normals = SurfaceNormals()
        towards = tf.constant([[[[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]]])
        found = relative_targets(normals.codec, normals, towards)
        self.assertAllClose(found, [[[[0.5, 0.5, 0.0], [0.5, 0.5, 0.5]]]])
        found = relative_predictions(normals.codec, towards)
        self.assertAllClose(found, [[[[0.5, 0.5, 0.0], [0.5, 0.5, 0.5]]]])


def column(*values):
    """One image with these pixels below one another."""
    return tf.constant(values, "float32", (1, len(values), 1, 1))
