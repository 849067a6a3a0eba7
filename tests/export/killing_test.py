import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np

import jtr_keras as jtr
from tests.export import example
from tests.testing import TestCase

PROGRAM = """
import sys
import jtr_keras as jtr
network = jtr.models.DensePredictor(
    jtr.models.UNet(widths=(4, 8)), [jtr.tasks.Depth(mean=2.0, stddev=1.0)], 4
)
print("ready", flush=True)
while True:
    jtr.export.export_saved_model(network, sys.argv[1], (24, 32), warmup=True)
"""
# After which file of the export the process may be killed.
STAGES = ("", "*/saved_model.pb", "*/metadata.json")


def contents(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


class KilledTest(TestCase):
    def start(self, name):
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(name)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def kill_after(self, process, name, stage):
        deadline = time.monotonic() + 300
        while stage and not list(name.rglob(stage)):
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        longest = 0.1 if stage else 3.0
        time.sleep(random.uniform(0.0, longest))  # Another one in each run.
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def test_a_killed_export_leaves_no_version_or_a_whole_one(self):
        root = pathlib.Path(self.get_temp_dir())
        names = [root / f"name{i}" for i, _ in enumerate(STAGES)]
        processes = [self.start(name) for name in names]
        for process, name, stage in zip(processes, names, STAGES, strict=True):
            self.assertEqual(process.stdout.readline(), "ready\n")
            self.kill_after(process, name, stage)
        whole = contents(example.folder() / "1")
        images = np.full((1, 8, 8, 3), 0.5, "float32")
        for name in names:
            versions = [*name.glob("[0-9]*")] if name.exists() else []
            for version in versions:
                self.assertEqual(contents(version), whole)
                outputs = jtr.export.SavedPredictor(version)(images)
                self.assertTrue(np.isfinite(outputs["depth"]).all())
        # What was left half done is hidden, and in nobody's way.
        left = [p for p in names[1].iterdir() if not p.name.isdecimal()]
        self.assertTrue(all(p.name.startswith(".export-") for p in left))
        path = example.model().export(names[1], warmup=True)
        self.assertEqual(contents(path), whole)
