"""What is wrong with parts of a user's own is said, never trained with."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras.models.pyramid import output_spec
from tests import toy
from tests.testing import TestCase


class Errors(jtr.tasks.Task):
    """A task whose error has any shape."""

    def __init__(self, reduce=None):
        super().__init__("errors", jtr.tasks.UnitInterval(channels=3))
        self.reduce = reduce

    def error(self, targets, predictions):
        return self.reduce(abs(targets - predictions))


class Terms(jtr.regularization.TaskRegularization):
    loss_weights = {"terms": 1.0}

    def build_for_tasks(self):
        pass

    def call(self, y_true, y_pred, labelled):
        return {"terms": y_pred["depth"]}


class Named(Terms):
    loss_weights = {"depth_loss": 1.0}


class Weights(jtr.balancing.Balancing):
    def weigh(self, losses, label_rates):
        return losses[:, None]


class Gradients(jtr.aggregation.Aggregation):
    def combine(self, gradients, present):
        return gradients


class Lists(jtr.interaction.Interaction):
    def call(self, inputs, training=None):
        return inputs


class Vectors(jtr.interaction.Interaction):
    def call(self, inputs, training=None):
        by_task = {task.name: inputs[0] for task in self.tasks}
        return jtr.interaction.Features(by_task, tf.reduce_mean(inputs[0], 1))


class Forgetful(jtr.tasks.Task):
    def __init__(self):
        self.name = "forgetful"

    def error(self, targets, predictions):
        return targets


class Kept(Forgetful):
    def __init__(self, weight=1.0):
        super().__init__()


class OwnPartsTest(TestCase):
    @parameterized.named_parameters(
        ("channels", lambda error: error),
        ("no channel", lambda error: tf.reduce_mean(error, -1)),
        ("scalar", tf.reduce_mean),
    )
    def test_errors_of_another_shape(self, reduce):
        targets = tf.ones((2, 4, 4, 3))
        with self.assertRaisesRegex(
            ValueError, r"`Errors.error` must return .*\(2, 4, 4, 1\); got \("
        ):
            Errors(reduce).loss(targets, targets)

    @parameterized.named_parameters(
        ("term", {"regularization": Terms}, r"`Terms.call.*shape \(\); got"),
        ("weights", {"balancing": Weights}, r"`Weights.weigh` .*\(4, 1\)"),
        ("gradient", {"aggregation": Gradients}, r"`Gradients.combine` must"),
    )
    def test_results_of_another_shape(self, parts, message):
        made = {name: cls() for name, cls in parts.items()}
        model = toy.make_model(**made)
        model.compile("sgd", run_eagerly=True, jit_compile=False)
        with self.assertRaisesRegex(ValueError, message):
            model.train_on_batch(*toy.make_batch(np.ones((2, 4))))

    @parameterized.named_parameters(
        ("list", Lists, "`Lists.call` must return .*Features.*got list"),
        ("rank", Vectors, "`Vectors.call, for 'shared',` must return"),
    )
    def test_interactions_that_return_something_else(self, cls, message):
        with self.assertRaisesRegex(ValueError, f"^{message}"):
            toy.make_model(interaction=cls())

    def test_names_that_come_twice(self):
        model = toy.make_model(Named())
        with self.assertRaisesRegex(ValueError, r"\['depth_loss'\] more than"):
            model.compile()

    def test_tasks_that_forget_their_codec_or_an_argument(self):
        with self.assertRaisesRegex(ValueError, "must call `super"):
            jtr.MultiTaskModel(jtr.models.UNet((4, 8)), [Forgetful()])
        with self.assertRaisesRegex(ValueError, r"none of \['weight'\]"):
            Kept().get_config()

    def test_a_momentum_that_nobody_uses(self):
        with self.assertRaisesRegex(ValueError, "`momentum`.*3"):
            toy.make_model(teacher_momentum=3)

    def test_features_finer_than_images(self):
        finer = keras.layers.UpSampling2D()
        with self.assertRaisesRegex(ValueError, "no finer than the images"):
            jtr.models.Pyramid(finer)

    def test_a_training_batch_is_no_image(self):
        x, *_ = toy.make_batch()
        with self.assertRaisesRegex(ValueError, "a dict of .*the first view"):
            toy.make_model()(x)

    def test_errors_while_tracing_are_the_users_own(self):
        def fail(x):
            raise ValueError("what I said")

        with self.assertRaisesRegex(ValueError, "^what I said$"):
            output_spec(fail, (None, 4))

    def test_logits_have_no_range(self):
        class Edges(Errors):
            def __init__(self):
                super().__init__()
                self.codec = jtr.tasks.UnitInterval(from_logits=True)

        self.assertIsNone(Edges().describe()["range"])
        self.assertEqual(Errors().describe()["range"], [0.0, 1.0])
