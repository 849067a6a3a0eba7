import pathlib

import numpy as np
import tensorflow as tf

import jtr_keras as jtr
from jtr_keras.export.runtimes import compare
from tests.export import example
from tests.testing import TestCase


class SavedPredictorTest(TestCase):
    def test_tasks_and_predictions(self):
        saved = jtr.export.SavedPredictor(example.folder())
        self.assertEqual(saved.path, example.folder() / "1")
        self.assertEqual(
            repr(saved),
            f"SavedPredictor({str(saved.path)!r}, tasks=['segmentation', "
            "'depth', 'normals', 'edges'])",
        )
        for found, task in zip(saved.tasks, example.model().tasks, strict=True):
            self.assertIs(type(found), type(task))
            self.assertEqual(found.get_config(), task.get_config())
        floats = example.images().astype("float32") / 255
        expected = example.predict(floats)
        for name, value in saved(floats).items():
            self.assertAllClose(value, expected[name], atol=1e-5)

    def test_models_of_others(self):
        with self.assertRaisesRegex(ValueError, "no SavedModel in"):
            jtr.export.SavedPredictor(self.get_temp_dir())
        folder = pathlib.Path(self.get_temp_dir()) / "1"
        tf.saved_model.save(tf.Module(), str(folder))
        with self.assertRaisesRegex(ValueError, "not exported by this lib"):
            jtr.export.SavedPredictor(folder)


class CompareTest(TestCase):
    def test_compare(self):
        expected = {"a": np.zeros((1, 2, 2, 1))}
        found = {"a": np.full((1, 2, 2, 1), -3.0), "b": np.ones(1)}
        self.assertEqual(compare(expected, found), {"a": 3.0})
        with self.assertRaisesRegex(ValueError, "'a' must have the shape"):
            compare(expected, {"a": np.zeros((1, 1, 2, 2, 1))})
        with self.assertRaisesRegex(ValueError, "gives nothing"):
            compare(expected, {})
