import tensorflow as tf

from jtr_keras.training.objective import supervised_losses, total_loss
from tests import toy
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

    def test_weights_of_the_regularization_count(self):
        regularization = toy.make_regularization(distance_weight=3.0)
        losses = {"depth_loss": 1.0, "distance": 2.0}
        self.assertEqual(total_loss(losses, regularization), 7.0)
        self.assertEqual(total_loss(losses, None), 3.0)
