import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras as jtr
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

    def test_a_frozen_weight_is_its_own_average(self):
        model, teacher = keras.Sequential([network(), network()]), Teacher(0.15)
        model.build((None, 1))
        teacher.build_for(model)
        model.layers[0].trainable = False
        model.set_weights([np.array([[4.0]]), np.array([[3.0]])])
        predict = teacher.predict
        self.assertAllClose(predict(model, tf.ones((1, 1))), [[4.0 * 2.0]])
        teacher.update(model)
        self.assertAllClose(predict(model, tf.ones((1, 1))), [[4.0 * 2.9]])
        model.layers[0].trainable = True
        model.layers[0].set_weights([np.array([[5.0]])])
        self.assertAllClose(predict(model, tf.ones((1, 1))), [[4.0 * 2.9]])
        teacher.update(model)
        self.assertAllClose(predict(model, tf.ones((1, 1))), [[4.85 * 2.985]])
        model.trainable = False
        self.assertAllClose(predict(model, tf.ones((1, 1))), [[5.0 * 3.0]])

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
        images, *_ = toy.make_batch(geometry=False)
        before = model.get_weights()
        found = teacher.predict(model.predictor, images[:, 0])
        for old, new in zip(before, model.get_weights(), strict=True):
            self.assertAllEqual(old, new)
        expected = model(images[:, 0], training=True)
        for name, value in expected.items():
            self.assertAllClose(found[name], value, atol=1e-5)

    def test_averages_are_exact_in_double_precision(self):
        self.addCleanup(keras.config.set_floatx, keras.config.floatx())
        keras.config.set_floatx("float64")
        model, teacher = network(), Teacher(momentum=0.15)
        teacher.build_for(model)
        model.set_weights([np.array([[1.0 / 3.0]])])
        teacher.update(model)  # Momentum 1 / 10.
        found = teacher.predict(model, tf.ones((1, 1), "float64"))
        self.assertAllClose(found, [[0.2 + 0.3]], rtol=1e-14, atol=0.0)

    def test_momentum_must_be_a_share(self):
        with self.assertRaisesRegex(ValueError, "`momentum`.*1.5"):
            Teacher(momentum=1.5)


def functional():
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    return keras.Model(inputs, keras.layers.BatchNormalization()(outputs))


def model_of(backbone):
    model = jtr.MultiTaskModel(
        backbone,
        toy.make_tasks()[:1],
        jtr.regularization.PseudoLabels(),
        head_filters=4,
    )
    return model, model.predictor.backbone


def unet():
    return jtr.models.UNet(widths=(4, 8))


class FreezingTest(TestCase):
    # The backbone, and whether it is frozen when the model is made.
    @parameterized.product(make=(functional, unet), frozen=(True, False))
    def test_frozen_and_unfrozen_networks_train(self, make, frozen):
        backbone = make()
        backbone.trainable = not frozen
        model, backbone = model_of(backbone)
        data = toy.make_dataset(toy.make_batch())
        for trainable in (False, True):
            backbone.trainable = trainable
            model.compile("sgd", jit_compile=False, run_eagerly=True)
            kernel, average = backbone.weights[0], model.teacher.averages[0]
            before = kernel.numpy(), average.numpy()
            model.fit(data, verbose=0)
            for old, new in zip(before, (kernel, average), strict=True):
                self.assertEqual(np.any(old != new.numpy()), trainable)

    @parameterized.product(make=(functional, unet), frozen=(True, False))
    def test_frozen_networks_go_on_after_saving(self, make, frozen):
        backbone = make()
        backbone.trainable = not frozen
        model, backbone = model_of(backbone)
        backbone.trainable = False
        model.compile("sgd", jit_compile=False, run_eagerly=True)
        data = toy.make_dataset(toy.make_batch())
        model.fit(data, verbose=0)
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        copy.run_eagerly = True
        for old, new in zip(
            model.teacher.weights, copy.teacher.weights, strict=True
        ):
            self.assertAllEqual(old, new)
        copy.fit(data, verbose=0)
