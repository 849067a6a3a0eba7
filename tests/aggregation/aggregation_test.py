from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras.aggregation import Aggregation, SumOfGradients
from jtr_keras.training.gradients import aggregate
from tests import toy
from tests.aggregation.examples import PerTaskSum
from tests.conformance import tiny
from tests.testing import TestCase


class Halves(Aggregation):
    """Half of the sum, so that what is combined can be told."""

    def combine(self, gradients, present):
        self.seen = gradients.numpy(), present.numpy()
        return 0.5 * keras.ops.sum(gradients, axis=0)


class Losses:
    """Linear in their variables, with gradients that are known.

    Both tasks depend on `shared`; on `matrix` the first one alone, with the
    regularization; each has its `head`; all have parts in `balance`.
    """

    def __init__(self):
        self.shared = keras.Variable([0.0, 0.0])
        self.matrix = keras.Variable([[0.0], [0.0]])
        self.heads = [keras.Variable(0.0), keras.Variable(0.0)]
        self.balance = keras.Variable(0.0)
        self.unused = keras.Variable(0.0)
        self.network = [self.shared, self.matrix, *self.heads]
        self.variables = [*self.network, self.balance, self.unused]

    def gradients(
        self, aggregation, rest=True, present=(1, 1), factor=1.0, scale=1.0
    ):
        """What comes of all variables; None where there is no gradient."""
        if not aggregation.built:
            aggregation.bind(toy.make_tasks()[:2])
        with tf.GradientTape(persistent=aggregation.per_task) as tape:
            first = tf.tensordot(self.shared, [1.0, 2.0], 1) * factor
            first += 3.0 * tf.reduce_sum(self.matrix) + 4.0 * self.heads[0]
            second = tf.tensordot(self.shared, [10.0, -20.0], 1)
            second += 40.0 * self.heads[1] + 50.0 * self.balance
            losses = {"segmentation": first + 5.0 * self.balance}
            losses |= {"depth": present[1] * second}
            if rest:
                rest = 100.0 * self.matrix[0, 0] + 200.0 * self.balance
        found = aggregate(
            aggregation,
            tape,
            losses,
            rest if rest is not False else 0.0,
            dict(zip(losses, map(float, present), strict=True)),
            self.variables,
            self.network,
            scale,
        )
        return [g if g is None else g.numpy().tolist() for g in found]


NOTHING = (np.zeros((2, 2)), np.zeros(2))


class AggregationTest(TestCase):
    def test_shared_and_own_variables_by_hand(self):
        aggregation = Halves()
        found = Losses().gradients(aggregation)
        self.assertEqual(
            found,
            [
                [5.5, -9.0],  # Shared: half of (1, 2) + (10, -20).
                [[103.0], [3.0]],  # Of one task: the sum.
                4.0,
                40.0,
                255.0,  # Not the network's: the sum.
                None,
            ],
        )
        gradients, present = aggregation.seen
        self.assertAllEqual(gradients, [[1.0, 2.0], [10.0, -20.0]])
        self.assertAllEqual(present, [1.0, 1.0])

    def test_regularization_takes_part_if_asked_to(self):
        aggregation = Halves(include_regularization=True)
        found = Losses().gradients(aggregation)
        self.assertEqual(
            found,
            [[5.5, -9.0], [[51.5], [1.5]], 4.0, 40.0, 255.0, None],
        )
        gradients, present = aggregation.seen
        self.assertAllEqual(
            gradients,
            [[1, 2, 3, 3], [10, -20, 0, 0], [0, 0, 100, 0]],
        )
        self.assertAllEqual(present, [1.0, 1.0, 1.0])

    def test_a_regularization_without_terms_takes_no_part(self):
        aggregation = Halves(include_regularization=True)
        found = Losses().gradients(aggregation, rest=False)
        self.assertEqual(found[:2], [[5.5, -9.0], [[3.0], [3.0]]])
        self.assertAllEqual(aggregation.seen[1], [1.0, 1.0, 0.0])

    def test_an_absent_task_is_said_to_be_absent(self):
        aggregation = Halves()
        found = Losses().gradients(aggregation, present=(1, 0))
        self.assertEqual(found[0], [0.5, 1.0])
        gradients, present = aggregation.seen
        self.assertAllEqual(gradients, [[1.0, 2.0], [0.0, 0.0]])
        self.assertAllEqual(present, [1.0, 0.0])

    @parameterized.parameters(Halves, SumOfGradients)
    def test_the_scale_is_taken_off_and_put_on_again(self, cls):
        aggregation = cls()
        plain = Losses().gradients(cls())
        scaled = Losses().gradients(aggregation, scale=8.0)
        self.assertEqual(
            keras.tree.map_structure(lambda x: x and 8.0 * x, plain), scaled
        )
        if cls is Halves:
            self.assertAllEqual(aggregation.seen[0], [[1, 2], [10, -20]])

    @parameterized.parameters(float("inf"), float("nan"))
    def test_gradients_that_are_not_finite(self, factor):
        aggregation = PerTaskSum()
        losses = Losses()
        losses.gradients(aggregation)
        found = losses.gradients(aggregation, factor=factor)
        self.assertTrue(np.isnan(found[0]).all())
        self.assertEqual(found[1], [[103.0], [3.0]])
        # What was combined was finite, and moved no state.
        halves = Halves()
        Losses().gradients(halves, factor=factor)
        keras.tree.map_structure(self.assertAllEqual, halves.seen, NOTHING)
        self.assertAllEqual(aggregation.counts, [1.0, 1.0])
        self.assertAllClose(aggregation.norms, np.sqrt([5.0, 500.0]))

    def test_one_task_shares_nothing(self):
        aggregation = Halves()
        variable = keras.Variable([1.0, 2.0])
        aggregation.bind(toy.make_tasks()[:1])
        with tf.GradientTape(persistent=True) as tape:
            losses = {"segmentation": tf.reduce_sum(variable**2)}
        found = aggregate(
            aggregation,
            tape,
            losses,
            0.0,
            {"segmentation": 1.0},
            [variable],
            [variable],
        )
        self.assertAllEqual(found[0], [2.0, 4.0])

    def test_lookups_of_rows(self):
        table = keras.Variable(tf.zeros((3, 2)))
        aggregation = Halves()
        aggregation.bind(toy.make_tasks()[:2])
        with tf.GradientTape(persistent=True) as tape:
            losses = {
                name: tf.reduce_sum(tf.gather(table, [row]))
                for row, name in enumerate(("segmentation", "depth"))
            }
        found = aggregate(
            aggregation,
            tape,
            losses,
            0.0,
            dict.fromkeys(losses, 1.0),
            [table],
            [table],
        )
        self.assertAllEqual(found[0], [[0.5, 0.5], [0.5, 0.5], [0.0, 0.0]])

    def test_belongs_to_one_model(self):
        aggregation = PerTaskSum()
        aggregation.bind(toy.make_tasks())
        with self.assertRaisesRegex(ValueError, "belongs to a model already"):
            aggregation.bind(toy.make_tasks())


TAPE = tf.GradientTape


def backward_passes(model):
    """How often the backbone's kernel gets a gradient in a step."""
    batch = toy.make_batch(views=1)
    step = tf.function(model.train_step).get_concrete_function(batch)
    kinds = [operation.type for operation in step.graph.get_operations()]
    return kinds.count("Conv2DBackpropFilter")


class TrainingTest(TestCase):
    def test_the_default_takes_one_backward_pass(self):
        counts = []
        for aggregation in (None, PerTaskSum()):
            model = tiny.make_model(aggregation=aggregation)
            model.compile("sgd")
            with mock.patch.object(tf, "GradientTape", wraps=TAPE) as tape:
                counts.append(backward_passes(model))
            # A persistent one keeps all that a pass needs.
            persistent = tape.call_args_list[0].kwargs["persistent"]
            self.assertEqual(persistent, aggregation is not None)
        # Backbone, and two convolutions of each of four heads; then the
        # backbone four times.
        self.assertEqual(counts, [9, 12])

    def test_weights_of_a_balancing_are_never_shared(self):
        found = []
        for aggregation in (SumOfGradients(), Zero()):
            model = tiny.make_model(
                balancing=jtr.balancing.UncertaintyWeights(),
                aggregation=aggregation,
            )
            model.compile("sgd")
            model.train_step(toy.make_batch(views=1))
            found.append(
                (
                    model.balancing.log_variances.numpy(),
                    model.predictor.backbone.kernel.numpy(),
                )
            )
        self.assertAllClose(found[0][0], found[1][0])
        self.assertGreater(np.abs(found[0][0]).min(), 0.0)
        start = tiny.make_model().predictor.backbone.kernel.numpy()
        self.assertAllEqual(found[1][1], start)
        self.assertNotAllClose(found[0][1], start)

    def test_half_precision_is_combined_without_its_scale(self):
        norms = []
        for policy in ("float32", "mixed_float16"):
            self.addCleanup(keras.config.set_dtype_policy, "float32")
            keras.config.set_dtype_policy(policy)
            model = tiny.make_model(aggregation=PerTaskSum())
            model.compile("sgd")
            scaled = policy == "mixed_float16"
            self.assertEqual(float(model.optimizer.scale_loss(1.0)) > 1, scaled)
            model.train_step(toy.make_batch(views=1))
            norms.append(model.aggregation.norms.numpy())
        self.assertAllClose(norms[0], norms[1], rtol=0.02)
        self.assertGreater(norms[0].min(), 0.0)


class Zero(Aggregation):
    """No step for what tasks share."""

    def combine(self, gradients, present):
        return 0.0 * gradients[0]
