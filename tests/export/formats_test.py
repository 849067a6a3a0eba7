import importlib.util
import pathlib
from unittest import mock

import numpy as np
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras.export import formats
from jtr_keras.export.runtimes import compare
from tests.export import example
from tests.testing import TestCase

SIZE = example.SIZE


class FormatsTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())

    @parameterized.parameters(*jtr.export.FORMATS)
    def test_agrees_with_keras(self, name):
        model = example.model()
        path, differences = jtr.export.export_file(
            model.predictor, self.folder / "toy", name, SIZE
        )
        self.assertEqual(path.suffix, jtr.export.FORMATS[name].suffix)
        self.assertEqual(set(differences), {task.name for task in model.tasks})
        self.assertLess(max(differences.values()), 1e-4)
        sizes = [SIZE]
        if jtr.export.FORMATS[name].any_size:
            sizes += [(21, 30), (9, 35), (2, 3)]
        run = jtr.export.RUNTIMES[name](path)
        for size in sizes:
            images = example.images(size, count=2).astype("float32") / 255
            expected = model.predict(images, verbose=0)
            found = compare(expected, run(images))
            self.assertLess(max(found.values()), 1e-4)
        with self.assertRaisesRegex(FileExistsError, "overwrite nothing"):
            model.export(self.folder / "toy", format=name)

    def test_a_wrong_conversion_is_not_kept(self):
        def wrong(path):
            return lambda images: {
                name: np.asarray(value) + 0.01
                for name, value in example.model().predictor(images).items()
            }

        with (
            mock.patch.dict(formats.RUNTIMES, {"onnx": wrong}),
            mock.patch.object(type(example.model().predictor), "export"),
            self.assertRaisesRegex(ValueError, "'onnx' is wrong.*differs by"),
        ):
            example.model().export(self.folder / "toy.onnx", "onnx", SIZE)
        self.assertEmpty(list(self.folder.iterdir()))

    def test_a_conversion_that_failed_is_tried_again(self):
        predictor = example.model().predictor
        runs = []

        def wrong_once(path):
            path.touch()
            runs.append(path)
            axes = 1 if len(runs) == 1 else 0
            return lambda images: {
                name: np.asarray(value)[(None,) * axes]
                for name, value in predictor(images).items()
            }

        with (
            mock.patch.dict(formats.RUNTIMES, {"onnx": wrong_once}),
            mock.patch.object(type(predictor), "export") as export,
        ):
            example.model().export(self.folder / "toy.onnx", "onnx", SIZE)
        self.assertEqual(export.call_count, 2)

    def test_a_conversion_that_raises_is_not_tried_again(self):
        model = example.model()
        refused = ValueError("no such opset")
        with (
            mock.patch.object(
                type(model.predictor), "export", side_effect=refused
            ) as export,
            self.assertRaisesRegex(ValueError, "no such opset"),
        ):
            model.export(self.folder / "toy.onnx", "onnx", SIZE)
        self.assertEqual(export.call_count, 1)

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "no format 'x'.*'onnx'"):
            example.model().export(self.folder / "toy", "x")
        with (
            mock.patch.object(importlib.util, "find_spec", return_value=None),
            self.assertRaisesRegex(ImportError, r"jtr_keras\[litert\]"),
        ):
            example.model().export(self.folder / "toy", "litert")


class CompareTest(TestCase):
    def test_compare(self):
        expected = {"a": np.zeros((1, 2, 2, 1))}
        found = {"a": np.full((1, 2, 2, 1), -3.0), "b": np.ones(1)}
        self.assertEqual(compare(expected, found), {"a": 3.0})
        with self.assertRaisesRegex(ValueError, "'a' must have the shape"):
            compare(expected, {"a": np.zeros((1, 1, 2, 2, 1))})
        with self.assertRaisesRegex(ValueError, "gives nothing"):
            compare(expected, {})
