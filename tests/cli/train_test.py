import csv
import json
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image

from jtr_keras.cli.main import main
from tests.cli.running import run
from tests.data import files
from tests.testing import TestCase

SMALL = (
    "--dataset=folder",
    "--batch_size=2",
    "--head_filters=4",
    '--backbone_options={"widths": [4, 8]}',
    "--task_options="
    '{"segmentation": {"num_classes": 13}, "depth": {"mean": 2, "stddev": 1}}',
)
RESTORATION = '--regularization_options={"widths": [4, 4]}'
# Where any objective will do, that which compiles fastest.
SUPERVISED = "--regularization=none"


class CommandLineTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())
        self.root = self.folder / "data"
        files.write_folder(self.root, "train", count=4)
        files.write_folder(self.root, "val", count=2)
        self.workdir = self.folder / "run"

    def flags(self, *more):
        return (
            "train",
            f"--workdir={self.workdir}",
            f"--root={self.root}",
            *SMALL,
            *more,
        )

    def history(self):
        with (self.workdir / "history.csv").open() as file:
            return list(csv.DictReader(file))

    def test_from_data_to_savedmodel(self):
        balancing = (
            "--balancing=dynamic_average",
            '--balancing_options={"period": 2}',
        )
        text = run(*self.flags("--epochs=2", RESTORATION, *balancing))
        self.assertIn("regularization label_restoration, balancing dyn", text)
        self.assertIn("delta_mtl", text)
        config = json.loads((self.workdir / "config.json").read_text())
        self.assertEqual(config["flags"]["seed"], 0)
        self.assertIn("tensorflow", config["versions"])
        self.assertEqual(config["regularization"]["warm_up"], 1000)
        self.assertEqual(config["balancing"]["period"], 2)
        self.assertEqual(config["interaction"]["filters"], 4)
        self.assertEqual(config["aggregation"]["name"], "sum_of_gradients")
        self.assertNotIn("run", config["flags"])
        self.assertEqual([row["epoch"] for row in self.history()], ["0", "1"])
        self.assertIn("depth_weight", self.history()[0])
        for name in ("best.keras", "last.keras", "pictures/epoch_0002.png"):
            self.assertTrue((self.workdir / name).exists(), name)
        events = list((self.workdir / "tensorboard").rglob("*tfevents*"))
        self.assertGreaterEqual(len(events), 2)

        metrics = json.loads((self.workdir / "metrics.json").read_text())
        output = self.folder / "again.json"
        run("evaluate", f"--model={self.workdir}", f"--output={output}")
        again = json.loads(output.read_text())
        for name, value in metrics.items():
            self.assertAllClose(again[name], value, rtol=1e-4, msg=name)

        image = self.folder / "photo.png"
        noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3))
        Image.fromarray(noise.astype("uint8")).save(image)
        pictures = self.folder / "pictures"
        run(
            "predict",
            f"--model={self.workdir}",
            f"--output={pictures}",
            "--arrays",
            image,
        )
        with Image.open(pictures / "photo.png") as table:
            self.assertEqual(table.size, (4 * 32 - 2, 20 + 14))
        arrays = np.load(pictures / "photo.npz")
        self.assertEqual(arrays["depth"].shape, (20, 30, 1))

        for version in ("1", "2"):
            run(
                "export",
                f"--model={self.workdir}",
                f"--output={self.folder / 'saved'}",
            )
            found = sorted(p.name for p in (self.folder / "saved").iterdir())
            self.assertEqual(found[-1], version)
        run(
            "predict",
            f"--model={self.folder / 'saved'}",
            f"--output={self.folder / 'again'}",
            "--arrays",
            image,
        )
        again = np.load(self.folder / "again" / "photo.npz")
        for name in arrays:
            self.assertAllClose(again[name], arrays[name], atol=1e-4)
        extra = self.folder / "saved" / "2" / "assets.extra"
        told = json.loads((extra / "metadata.json").read_text())
        self.assertEqual(told["metrics"], metrics)
        self.assertEqual(told["training"]["flags"], config["flags"])
        self.assertEqual(told["images"]["image_size"], list(files.SIZE))
        card = (extra / "model_card.md").read_text()
        self.assertIn("Of folder, split val, after the last epoch.", card)
        loaded = tf.saved_model.load(str(self.folder / "saved" / "2"))
        served = loaded.signatures["serving_default"](
            images=tf.constant(noise[None] / 255, "float32")
        )
        self.assertAllClose(served["depth"][0], arrays["depth"], atol=1e-4)

    def test_labels_of_a_folder_are_its_files(self):
        for split, index in (("train", 1), ("val", 0)):
            files.path(self.root, split, "depth", index).unlink()
        tasks = "--tasks=segmentation,depth"
        text = run(*self.flags("--epochs=1", tasks, SUPERVISED))
        self.assertIn(
            "4 images of 'train'; labels: 4 of segmentation, 3 of depth", text
        )
        self.assertIn(
            "2 images of 'val'; labels: 2 of segmentation, 1 of depth", text
        )
        config = json.loads((self.workdir / "config.json").read_text())
        self.assertEqual(config["flags"]["labels"], "available")
        again = run("evaluate", f"--model={self.workdir}")
        self.assertIn("depth_abs_err", again)

    def test_other_flags_are_refused(self):
        flags = (SUPERVISED, "--tasks=depth", "--schedule=constant")
        run(*self.flags("--epochs=1", *flags))
        with self.assertRaisesRegex(SystemExit, "learning_rate=0.001 then"):
            main(self.flags("--epochs=1", "--learning_rate=0.1", *flags))
        run(*self.flags("--epochs=2", *flags))
        self.assertLen(self.history(), 2)

    def test_nan_ends_the_run_before_it_is_saved(self):
        with self.assertRaisesRegex(RuntimeError, "NaN or Inf"):
            run(
                *self.flags(
                    SUPERVISED,
                    "--tasks=depth",
                    "--schedule=constant",
                    "--learning_rate=1e30",
                )
            )
        self.assertFalse((self.workdir / "backup").exists())
        self.assertFalse((self.workdir / "last.keras").exists())

    @parameterized.parameters(
        ("depth", pathlib.Path.unlink, "missing"),
        ("image", lambda path: path.write_bytes(b"JFIF"), "cannot be read"),
    )
    def test_broken_files_end_the_run_before_it_begins(
        self, name, change, message
    ):
        path = files.path(self.root, "train", name, 3)
        change(path)
        with self.assertRaisesRegex(SystemExit, f"{path}.*{message}"):
            main(self.flags("--labels=full"))
        self.assertFalse(self.workdir.exists())

    @parameterized.parameters(
        ("--tasks=x", "no task 'x'.*normals"),
        ('--interaction_options={"x": 1}', "--interaction_options: .*'x'"),
        ('--aggregation_options={"x": 1}', "--aggregation_options: .*'x'"),
        ("--batch_size=9", "`batch_size` is 9, but there are 4"),
    )
    def test_refused_flags_leave_no_folder(self, flag, message):
        # They are refused before files are read.
        files.path(self.root, "train", "depth", 3).unlink()
        with self.assertRaisesRegex(SystemExit, f"^jtr train: .*{message}"):
            main(self.flags("--labels=full", flag))
        self.assertFalse(self.workdir.exists())

    def test_a_file_that_is_missing_in_training_is_named(self):
        path = files.path(self.root, "train", "depth", 3)
        path.unlink()
        with self.assertRaisesRegex(SystemExit, f"(?s)^jtr train: .*{path}"):
            main(self.flags("--labels=full", "--nocheck", SUPERVISED))

    def test_labels_of_the_wrong_length(self):
        labels = self.folder / "labels.npy"
        np.save(labels, np.ones((7, 3)))
        with self.assertRaisesRegex(SystemExit, r"labels.npy.*\(4, 3\)"):
            main(self.flags(f"--labels={labels}"))

    def test_a_killed_run_goes_on(self):
        more = (RESTORATION, "--epochs=3", "--tasks=segmentation,depth")
        flags = self.flags(*more)
        program = [sys.executable, "-m", "jtr_keras.cli.main", *flags]
        process = subprocess.Popen(
            program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        history = self.workdir / "history.csv"
        deadline = time.monotonic() + 300
        while not history.exists() or not self.history():
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        run(*flags)
        epochs = [row["epoch"] for row in self.history()]
        self.assertEqual(epochs, ["0", "1", "2"])
        resumed = json.loads((self.workdir / "metrics.json").read_text())
        self.workdir = self.folder / "whole"
        run(*self.flags(*more))
        whole = json.loads((self.workdir / "metrics.json").read_text())
        for name, value in whole.items():
            self.assertAllClose(resumed[name], value, rtol=1e-4, msg=name)
