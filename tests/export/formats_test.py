import dataclasses
import importlib.util
import pathlib
from unittest import mock

import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.export import FORMATS, export_file
from jtr_keras.export.formats import ONNX, in_full_precision
from jtr_keras.export.runtimes import compare
from tests import toy
from tests.export import example
from tests.testing import TestCase

SIZE = example.SIZE


def patch_onnx(run):
    """Makes a function run what is exported to ONNX."""
    onnx = dataclasses.replace(ONNX, run=run)
    return mock.patch.dict(FORMATS.entries, {"onnx": onnx})


class FormatsTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())

    @parameterized.parameters(*FORMATS)
    def test_agrees_with_keras(self, name):
        model = example.model()
        path, differences = export_file(
            model.predictor, self.folder / "toy", name, SIZE
        )
        self.assertEqual(path.suffix, FORMATS[name].suffix)
        self.assertEqual(set(differences), {task.name for task in model.tasks})
        self.assertLess(max(differences.values()), 1e-4)
        sizes = [SIZE]
        if FORMATS[name].any_size:
            sizes += [(21, 30), (9, 35), (2, 3)]
        run = FORMATS[name].run(path)
        for size in sizes:
            images = example.images(size, count=2).astype("float32") / 255
            expected = example.predict(images)
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
            patch_onnx(wrong),
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
            patch_onnx(wrong_once),
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


class FullPrecisionTest(TestCase):
    def test_same_network_in_float32(self):
        keras.config.set_dtype_policy("mixed_float16")
        try:
            mixed = toy.make_model().predictor
        finally:
            keras.config.set_dtype_policy("float32")
        full = in_full_precision(mixed)
        for layer in full._flatten_layers():
            self.assertEqual(layer.compute_dtype, "float32")
        exact = toy.make_model().predictor  # Of the same seed.
        images = np.random.default_rng(0).uniform(size=(2, 9, 12, 3))
        expected = exact(images, training=False)
        rough = mixed(images, training=False)
        for name, value in full(images, training=False).items():
            self.assertAllClose(value, expected[name], atol=1e-5)
            self.assertNotAllClose(value, rough[name], atol=1e-7)
        self.assertEqual(mixed.compute_dtype, "float16")

    def test_nothing_is_copied_without_need(self):
        predictor = toy.make_model().predictor
        self.assertIs(in_full_precision(predictor), predictor)
