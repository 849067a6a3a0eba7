import pathlib
from unittest import mock

import numpy as np
from PIL import Image
from sklearn import datasets

from jtr_keras.cli.main import main
from jtr_keras.export import warmup
from tests.cli.running import run
from tests.export import example
from tests.testing import TestCase


class ExportTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = example.folder().parent / "model.keras"
        example.model().save(cls.model)

    def setUp(self):
        super().setUp()
        self.output = pathlib.Path(self.get_temp_dir()) / "toy"

    def export(self, *flags):
        return run(
            "export", f"--model={self.model}", f"--output={self.output}", *flags
        )

    def test_savedmodel(self):
        text = self.export("--image_size=20,24", "--nowarmup")
        self.assertIn(f"{self.output / '1'}:", text)
        self.assertRegex(text, "serve_bytes .*20x24")
        extra = self.output / "1" / "assets.extra"
        self.assertFalse((extra / warmup.FILE).exists())
        self.assertIn("Not recorded.", (extra / "model_card.md").read_text())
        with self.assertRaisesRegex(SystemExit, "toy/1 exists"):
            main(
                ["export", f"--model={self.model}", f"--output={self.output}/1"]
            )

    def test_another_format_prints_the_comparison(self):
        text = self.export("--format=litert")
        self.assertRegex(text, r"toy.tflite: largest difference")
        for task in example.model().tasks:
            self.assertRegex(text, rf"{task.name} +\d\.\de-\d\d\n")
        # Of the size of the training images.
        runner = example.litert_input(self.output.with_suffix(".tflite"))
        self.assertEqual(tuple(runner), (1, 16, 16, 3))

    def test_extra_that_is_not_installed(self):
        find = "jtr_keras.export.formats.importlib.util.find_spec"
        with (
            mock.patch(find, return_value=None),
            self.assertRaisesRegex(SystemExit, r"jtr_keras\[onnx\]"),
        ):
            self.export("--format=onnx")


class PredictTest(TestCase):
    def test_photograph_through_a_savedmodel(self):
        photo = datasets.load_sample_image("china.jpg")[:200, :301]
        folder = pathlib.Path(self.get_temp_dir())
        Image.fromarray(photo).save(folder / "china.png")
        for model in (example.folder(), example.folder() / "1"):
            flags = [f"--model={model}", f"--output={folder}/out", "--arrays"]
            run("predict", *flags, folder / "china.png")
            found = np.load(folder / "out" / "china.npz")
            expected = example.model().predict(photo[None] / 255, verbose=0)
            for name, value in expected.items():
                self.assertAllClose(found[name], value[0], atol=1e-4)
        with Image.open(folder / "out" / "china.png") as picture:
            self.assertEqual(picture.size, (5 * 303 - 2, 214))

    def test_a_savedmodel_is_not_trained_further(self):
        with self.assertRaisesRegex(SystemExit, "Expected a .keras file"):
            main(["evaluate", f"--model={example.folder()}"])
