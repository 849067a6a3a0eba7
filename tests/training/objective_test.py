import tensorflow as tf

from jtr_keras.balancing import FixedWeights
from jtr_keras.training.objective import (
    supervised_losses,
    task_weights,
    total_loss,
)
from tests import toy
from tests.balancing.calling import bound
from tests.testing import TestCase


class ObjectiveTest(TestCase):
    def test_mean_is_over_all_images_and_of_the_first_view(self):
        tasks = toy.make_tasks()[1:2]
        y_true = {"depth": tf.fill((4, 2, 2, 2, 1), 5.0)}
        y_pred = {"depth": tf.concat([tf.ones((4, 1, 2, 2, 1))] * 2, axis=1)}
        later = {"depth": tf.concat([y_pred["depth"][:, :1] + 9.0] * 2, axis=1)}
        y_pred["depth"] = tf.concat(
            [y_pred["depth"][:, :1], later["depth"][:, 1:]], axis=1
        )
        labelled = {"depth": tf.constant([1.0, 0.0, 0.5, 0.0])}
        losses = supervised_losses(tasks, y_true, y_pred, labelled)
        self.assertEqual(list(losses), ["depth_loss"])
        self.assertAllClose(losses["depth_loss"], 4.0 * 1.5 / 4)

    def test_nothing_is_no_loss(self):
        tasks = toy.make_tasks()
        _, y_true, labelled = toy.make_batch()
        nothing = [
            {name: value[:0] for name, value in each.items()}
            for each in (y_true, toy.make_predictions(), labelled)
        ]
        y_true, y_pred, labelled = nothing
        losses = supervised_losses(tasks, y_true, y_pred, labelled)
        self.assertAllEqual(list(losses.values()), [0.0] * 4)
        weights, _ = task_weights(bound(FixedWeights(), 4), losses, labelled)
        self.assertAllEqual(list(weights.values()), [0.0] * 4)

    def test_weights_of_the_regularization_count(self):
        regularization = toy.make_regularization(weights={"distance": 3.0})
        losses = {"depth_loss": 1.0, "distance": 2.0}
        self.assertEqual(total_loss(losses, regularization), 7.0)
        self.assertEqual(total_loss(losses, None), 3.0)

    def test_weights_of_tasks_count(self):
        losses = {"depth_loss": 1.0, "normals_loss": 5.0, "distance": 2.0}
        regularization = toy.make_regularization(weights={"distance": 3.0})
        total = total_loss(losses, regularization, {"depth": 0.5})
        self.assertEqual(total, 11.5)
        # The regularization's own weights are untouched.
        self.assertNotIn("depth_loss", regularization.loss_weights)

    def test_label_rates_count_labels_of_any_weight(self):
        balancing = FixedWeights(
            {"depth": 3.0},
            compensate_label_rate=True,
            label_rate_momentum=0.0,
        )
        balancing.bind(toy.make_tasks()[1:3])
        losses = {"depth_loss": tf.ones(()), "normals_loss": tf.ones(())}
        labelled = {
            "depth": tf.constant([0.5, 0.0, 0.0, 1.0]),
            "normals": tf.constant([0.0, 0.0, 0.5, 0.0]),
        }
        weights, penalty = task_weights(balancing, losses, labelled)
        self.assertAllClose(weights["depth"], 6.0)
        self.assertAllClose(weights["normals"], 4.0)
        self.assertEqual(float(penalty), 0.0)

    def test_no_balancing(self):
        self.assertEqual(task_weights(None, {}, {}), ({}, 0.0))
