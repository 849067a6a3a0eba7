import keras
import numpy as np
import tensorflow as tf

from jtr_keras.training import Teacher
from tests import toy
from tests.testing import TestCase


def network():
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False)])
    model.build((None, 1))
    model.set_weights([np.array([[2.0]])])
    return model


class TeacherTest(TestCase):
    def test_averages_by_hand(self):
        model, teacher = network(), Teacher(momentum=0.15)
        teacher.build_for(model)
        self.assertAllClose(teacher.predict(model, tf.ones((1, 1))), [[2.0]])
        model.set_weights([np.array([[3.0]])])
        teacher.update(model)  # Momentum 1 / 10.
        self.assertAllClose(teacher.predict(model, tf.ones((1, 1))), [[2.9]])
        teacher.update(model)  # Momentum 0.15, less than 2 / 11.
        self.assertAllClose(teacher.predict(model, tf.ones((1, 1))), [[2.985]])
        self.assertAllEqual(model.get_weights(), [[[3.0]]])

    def test_nothing_receives_a_gradient(self):
        model, teacher = network(), Teacher()
        teacher.build_for(model)
        images = tf.ones((1, 1))
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = teacher.predict(model, images)
        sources = [images, *model.trainable_variables]
        self.assertEqual(tape.gradient(output, sources), [None, None])

    def test_batch_statistics_are_left_alone(self):
        model = toy.make_model()
        teacher = Teacher()
        teacher.build_for(model.predictor)
        images, *_ = toy.make_batch()
        before = model.get_weights()
        found = teacher.predict(model.predictor, images[:, 0])
        for old, new in zip(before, model.get_weights(), strict=True):
            self.assertAllEqual(old, new)
        expected = model(images[:, 0], training=True)
        for name, value in expected.items():
            self.assertAllClose(found[name], value, atol=1e-5)

    def test_momentum_must_be_a_share(self):
        with self.assertRaisesRegex(ValueError, "`momentum`.*1.5"):
            Teacher(momentum=1.5)
