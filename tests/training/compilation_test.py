import keras
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.training.compilation import (
    choose_compilation,
    synchronize_batch_statistics,
)
from tests import toy
from tests.strategies import TWO
from tests.testing import TestCase


class CompilationTest(TestCase):
    def tearDown(self):
        tf.config.optimizer.set_jit("")
        super().tearDown()

    @parameterized.parameters(("auto", True), (True, True), (False, False))
    def test_one_replica_compiles_the_step(self, jit_compile, expected):
        strategy = tf.distribute.get_strategy()
        self.assertEqual(choose_compilation(strategy, jit_compile), expected)
        self.assertFalse(tf.config.optimizer.get_jit())

    @parameterized.parameters(("auto", "autoclustering"), (False, ""))
    def test_several_replicas_cluster_automatically(self, jit_compile, mode):
        self.assertFalse(choose_compilation(TWO, jit_compile))
        self.assertEqual(tf.config.optimizer.get_jit(), mode)

    def test_the_last_choice_decides(self):
        for jit_compile in ("auto", False):
            choose_compilation(TWO, jit_compile)
        self.assertFalse(tf.config.optimizer.get_jit())

    def test_several_steps_on_several_replicas_are_refused(self):
        with self.assertRaisesRegex(ValueError, "steps_per_execution.*got 4"):
            choose_compilation(TWO, steps_per_execution=4)

    def test_every_batch_normalization_is_synchronized(self):
        model = toy.make_model()
        synchronize_batch_statistics(model)
        found = [
            layer.synchronized
            for layer in model._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        self.assertGreater(len(found), 4)
        self.assertTrue(all(found))
