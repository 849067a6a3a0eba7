import pathlib

import keras
import numpy as np
import tensorflow as tf

import jtr_keras as jtr
from tests import toy
from tests.strategies import ONE, TWO
from tests.testing import TestCase

LABELLED = ((1, 0, 0, 0), (1, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0))
"""Only one replica sees a label of the second task."""


def make_model(tasks):
    """With batch statistics, which replicas must share."""
    keras.utils.set_random_seed(0)
    return jtr.MultiTaskModel(
        jtr.models.UNet(widths=(2, 3)),
        tasks,
        jtr.regularization.ViewConsistency(),
        head_filters=2,
    )


def train(strategy, validate=True):
    """Weights and logs after two steps of gradient descent."""
    data = toy.make_dataset(toy.make_batch(LABELLED), repeats=2)
    eagerly = strategy is ONE  # Two steps take less time than to trace one.
    with strategy.scope():
        model = make_model(toy.make_tasks()[:2])
        model.compile("sgd", jit_compile=False, run_eagerly=eagerly)
    validation_data = data if validate else None
    logs = model.fit(data, validation_data=validation_data, verbose=0).history
    return model, logs


class DistributionTest(TestCase):
    def test_two_replicas_take_the_steps_of_one(self):
        (one, one_logs), (two, two_logs) = map(train, (ONE, TWO))
        self.assertEqual(set(one_logs), set(two_logs))
        for name in one_logs:
            self.assertAllClose(
                two_logs[name], one_logs[name], rtol=1e-3, atol=1e-4, msg=name
            )
        for first, second in zip(one.variables, two.variables, strict=True):
            self.assertAllClose(
                first.numpy(), second.numpy(), atol=2e-4, msg=first.path
            )

    def test_datasets_of_the_library(self):
        tasks = jtr.data.DATASETS["rooms"].make_tasks()[1:2]
        data = jtr.data.rooms("train[:4]", tasks, num_views=3, batch_size=2)
        with TWO.scope():
            model = make_model(tasks)
            model.compile("sgd", jit_compile=False)
        logs = model.fit(data, epochs=2, verbose=0).history
        self.assertTrue(np.isfinite(logs["loss"]).all())
        self.assertEqual(model.optimizer.iterations.numpy(), 4)

    def test_mixed_precision_exports_what_one_device_predicts(self):
        folder = pathlib.Path(self.get_temp_dir())
        keras.config.set_dtype_policy("mixed_float16")
        try:
            model, _ = train(TWO, validate=False)
            model.save(folder / "model.keras")
            with ONE.scope():
                single = keras.saving.load_model(folder / "model.keras")
        finally:
            keras.config.set_dtype_policy("float32")
        path = model.export(folder / "1")
        images = np.random.default_rng(0).uniform(size=(2, 15, 18, 3))
        images = images.astype("float32")
        saved = tf.saved_model.load(str(path))
        found = saved.signatures["serving_default"](tf.constant(images))
        for name, value in single.predict(images, verbose=0).items():
            self.assertDType(found[name], "float32")
            self.assertAllClose(found[name], value, atol=1e-3, msg=name)
