"""A regularization in a file of one's own, put into the registry."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
from PIL import Image

from jtr_keras.registry import REGULARIZATIONS
from tests.cli.running import run
from tests.data import files
from tests.testing import TestCase

MODULE = """
import keras
from keras import ops

import jtr_keras as jtr


@keras.saving.register_keras_serializable(package="own")
class Smallness(jtr.regularization.TaskRegularization):
    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.loss_weights = {"smallness": weight}

    def build_for_tasks(self):
        pass

    def call(self, y_true, y_pred, labelled):
        return {"smallness": ops.mean(ops.square(y_pred["depth"]))}

    def get_config(self):
        return super().get_config() | {"weight": self.weight}


jtr.regularization.REGULARIZATIONS["smallness"] = Smallness
"""
NAME = "module_of_my_own"


class OwnMethodTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())
        (self.folder / f"{NAME}.py").write_text(MODULE)
        files.write_folder(self.folder / "data", "train", count=2)
        files.write_folder(self.folder / "data", "val", count=2)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.addCleanup(REGULARIZATIONS.entries.pop, "smallness", None)
        self.addCleanup(self.forget)

    def call(self, command, *flags):
        return run(command, f"--import={NAME}", *flags)

    def train(self):
        return self.call(
            "train",
            "--workdir=run",
            "--dataset=folder",
            "--root=data",
            "--batch_size=2",
            "--epochs=1",
            "--xla=off",
            "--tasks=depth",
            '--task_options={"depth": {"mean": 2, "stddev": 1}}',
            "--head_filters=4",
            '--backbone_options={"widths": [4, 8]}',
            "--regularization=smallness",
            '--regularization_options={"weight": 0.25}',
        )

    def forget(self):
        """As a new process, which has not imported the module."""
        keras.saving.get_custom_objects().pop("own>Smallness", None)
        sys.modules.pop(NAME, None)
        sys.path[:] = [path for path in sys.path if path != os.getcwd()]

    def test_every_command(self):
        self.assertIn("smallness", self.call("train", "--help"))
        text = self.train()
        self.assertIn("regularization smallness", text)
        config = json.loads(pathlib.Path("run/config.json").read_text())
        self.assertEqual(config["flags"]["import"], [NAME])
        self.assertEqual(config["regularization"]["weight"], 0.25)
        self.assertIn("smallness", pathlib.Path("run/history.csv").read_text())

        self.call("evaluate", "--model=run", "--output=metrics.json")
        found = json.loads(pathlib.Path("metrics.json").read_text())
        metrics = json.loads(pathlib.Path("run/metrics.json").read_text())
        self.assertAllClose(found["depth_rmse"], metrics["depth_rmse"])

        Image.fromarray(np.zeros((8, 12, 3), "uint8")).save("photo.png")
        self.call("predict", "--model=run", "photo.png")
        self.assertTrue(pathlib.Path("predictions/photo.png").exists())
        self.call("export", "--model=run", "--output=saved", "--nowarmup")
        self.assertTrue(pathlib.Path("saved/1/saved_model.pb").exists())

        self.forget()
        message = "class 'Smallness'. If .* --import=MODULE"
        with self.assertRaisesRegex(SystemExit, message):
            run("evaluate", "--model=run")

    def test_help_of_the_program(self):
        done = subprocess.run(
            [
                pathlib.Path(sys.executable).with_name("jtr"),
                "train",
                f"--import={NAME}",
                "--help",
            ],
            capture_output=True,
            text=True,
        )
        self.assertIn("smallness", done.stdout)
