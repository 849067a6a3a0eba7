import tensorflow as tf

from jtr_keras.balancing import FixedWeights
from jtr_keras.training import losses
from tests import toy
from tests.balancing.calling import bound
from tests.testing import TestCase


class SupervisedLossesTest(TestCase):
    def test_mean_is_over_all_images_and_of_the_first_view(self):
        tasks = toy.make_tasks()[1:2]
        y_true = {"depth": tf.fill((4, 2, 2, 2, 1), 5.0)}
        views = [tf.ones((4, 1, 2, 2, 1)), 10.0 * tf.ones((4, 1, 2, 2, 1))]
        y_pred = {"depth": tf.concat(views, axis=1)}
        labelled = {"depth": tf.constant([1.0, 0.0, 0.5, 0.0])}
        found = losses.supervised_losses(tasks, y_true, y_pred, labelled)
        self.assertEqual(list(found), ["depth"])
        self.assertAllClose(found["depth"], 4.0 * 1.5 / 4)
        found = losses.supervised_losses(tasks, y_true, y_pred, labelled, 2)
        self.assertAllClose(found["depth"], (4.0 + 5.0) / 2 * 1.5 / 4)

    def test_nothing_is_no_loss(self):
        tasks = toy.make_tasks()
        _, y_true, labelled = toy.make_batch()
        nothing = [
            {name: value[:0] for name, value in each.items()}
            for each in (y_true, toy.make_predictions(), labelled)
        ]
        y_true, y_pred, labelled = nothing
        found = losses.supervised_losses(tasks, y_true, y_pred, labelled)
        self.assertAllEqual(list(found.values()), [0.0] * 4)
        balancing = bound(FixedWeights(), 4)
        weights, _, present = losses.balance(balancing, found, labelled)
        self.assertAllEqual(list(weights.values()), [0.0] * 4)
        self.assertFalse(any(present.values()))


class BalanceTest(TestCase):
    def test_label_rates_count_labels_of_any_weight(self):
        balancing = FixedWeights(
            {"depth": 3.0},
            compensate_label_rate=True,
            label_rate_momentum=0.0,
        )
        balancing.bind(toy.make_tasks()[1:3])
        by_task = {"depth": tf.ones(()), "normals": tf.ones(())}
        labelled = {
            "depth": tf.constant([0.5, 0.0, 0.0, 1.0]),
            "normals": tf.constant([0.0, 0.0, 0.5, 0.0]),
        }
        weights, penalty, _ = losses.balance(balancing, by_task, labelled)
        self.assertAllClose(weights["depth"], 6.0)
        self.assertAllClose(weights["normals"], 4.0)
        self.assertEqual(float(penalty), 0.0)

    def test_nobody_asks(self):
        by_task = {"depth": tf.ones(())}
        found = losses.balance(None, by_task, {"depth": tf.zeros(2)})
        self.assertEqual(found, ({"depth": 1.0}, 0.0, {}))

    def test_who_is_present(self):
        by_task = {"a": tf.ones(()), "b": tf.ones(()), "c": tf.zeros(())}
        labelled = {"a": tf.ones(2), "b": tf.zeros(2), "c": tf.ones(2)}
        _, _, present = losses.balance(None, by_task, labelled, True)
        self.assertEqual(
            {name: bool(value) for name, value in present.items()},
            {"a": True, "b": False, "c": False},  # No label; all void.
        )


class SumsTest(TestCase):
    def test_auxiliary_losses_count_by_their_weights(self):
        auxiliary = {"first": {"a": 2.0, "b": 3.0}, "second": {"a": 1, "b": 1}}
        weights = {"first": 0.5, "second": 10.0}
        found = losses.add({"a": 1.0, "b": 1.0}, auxiliary, weights)
        self.assertEqual(found, {"a": 12.0, "b": 12.5})
        self.assertEqual(losses.add({"a": 1.0}, {}, {}), {"a": 1.0})

    def test_weights_of_terms_count(self):
        terms = {"distance": 2.0, "error": 1.0}
        weights = {"distance": 3.0, "error": 0.5}
        self.assertEqual(losses.weighted_sum(terms, weights), 6.5)

    def test_names_of_logs(self):
        found = losses.named({"depth": 1.0}, {"first": {"depth": 2.0}})
        self.assertEqual(found, {"depth_loss": 1.0, "depth_first_loss": 2.0})
