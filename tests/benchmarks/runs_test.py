import json
import pathlib
import subprocess
import time
import types
from unittest import mock

import numpy as np

from benchmarks.processes import Processes
from benchmarks.runs import Run
from tests.testing import TestCase


def train(command, **_):
    """Leaves what `jtr train` would, and no process."""
    (flag,) = (part for part in command if part.startswith("--workdir="))
    workdir = pathlib.Path(flag.removeprefix("--workdir="))
    (workdir / "metrics.json").write_text('{"depth_abs_err": 0.5}')
    (workdir / "history.csv").write_text("seconds_per_step\n0.25\n")
    return types.SimpleNamespace(pid=0)


def process(mib, status=0):
    """What waiting for a process says, after half a second."""

    def wait4(*_):
        time.sleep(0.5)
        return 0, status, types.SimpleNamespace(ru_maxrss=mib * 1024)

    return wait4


class RunTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())
        self.labels = self.folder / "labels.npy"
        np.save(self.labels, np.ones((4, 2)))

    def execute(self, method, wait4):
        names = ("segmentation", "depth")
        run = Run(method, "onelabel", 0, 2, names, {"batch_size": 2})
        with (
            mock.patch.object(subprocess, "Popen", train),
            mock.patch("os.wait4", wait4),
        ):
            return run.execute(self.folder / "run", self.labels, threads=0)

    def test_all_processes_of_a_run_count(self):
        with self.assertRaisesRegex(RuntimeError, "jtr train failed"):
            self.execute("supervised", process(mib=300, status=256))
        row = self.execute("supervised", process(mib=200))
        self.assertBetween(row["seconds"], 1.0, 10.0)
        self.assertEqual(row["peak_mib"], 300.0)
        self.assertEqual(row["seconds_per_step"], 0.25)
        self.assertEqual(row["depth_abs_err"], 0.5)

    def test_seconds_of_networks_are_summed(self):
        row = self.execute("single_task", process(mib=200))
        self.assertBetween(row["seconds"], 1.0, 10.0)
        self.assertEqual(row["peak_mib"], 200.0)
        self.assertEqual(row["seconds_per_step"], 0.5)

    def test_killed_with_its_parent_it_counts_up_to_its_last_word(self):
        processes = Processes(self.folder)
        begin = {"begin": time.time() - 60.0}
        processes.path.write_text(json.dumps(begin) + "\n")
        time.sleep(0.01)
        processes.log.write_text("Epoch 3")
        processes.begin()
        processes.end(mib=100.0)
        seconds, mib = processes.totals()
        self.assertBetween(seconds, 60.0, 90.0)
        self.assertEqual(mib, 100.0)
