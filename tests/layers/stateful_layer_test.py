import keras
import numpy as np
import tensorflow as tf

from jtr_keras.layers.stateful_layer import StatefulLayer
from tests.testing import TestCase


@keras.saving.register_keras_serializable(package="tests")
class Counter(StatefulLayer):
    """Counts its calls and adds noise."""

    def build(self, input_shape):
        self.seed_generator = keras.random.SeedGenerator(1)
        self.count = self.add_state("count", ())

    def call(self, inputs):
        self.count.assign_add(1.0)
        noise = keras.random.normal((1,), seed=self.seed_generator)
        return inputs + keras.ops.cast(noise, inputs.dtype)


class StatefulLayerTest(TestCase):
    def test_saves_its_state_and_goes_on_sampling(self):
        layer = Counter()
        model = keras.Sequential([keras.Input((1,)), layer])
        for _ in range(3):
            model(tf.zeros((1, 1)))
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        self.assertEqual(float(copy.layers[0].count), float(layer.count))
        self.assertAllClose(copy(tf.zeros((1, 1))), model(tf.zeros((1, 1))))

    def test_state_is_not_trained_and_counts_beyond_half_precision(self):
        layer = Counter(dtype="mixed_float16")
        layer.build((1, 1))
        layer.count.assign(2048.0)
        layer(np.zeros((1, 1)))
        self.assertEqual(float(layer.count), 2049.0)
        self.assertEqual(layer.trainable_variables, [])

    def test_belongs_to_one_model(self):
        layer = Counter()
        layer.finish_binding()
        with self.assertRaisesRegex(
            ValueError, "`counter.*` belongs to a model already.*new `Counter`"
        ):
            layer.require_unbound()

    def test_what_it_consists_of_must_be_built(self):
        layer = Counter()
        layer.part = keras.layers.Dense(1, name="part")
        layer.other = keras.layers.ReLU()
        with self.assertRaisesRegex(
            ValueError, r"`Counter.build_for_tasks` must build .*\['part'\]"
        ):
            layer.finish_binding()
        layer.part.build((None, 1))
        layer.finish_binding()
        self.assertTrue(layer.built)
