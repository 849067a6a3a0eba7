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

METRICS = {
    "segmentation": {"segmentation_miou": 0.25, "delta_mtl": 5.0},
    "depth": {"depth_abs_err": 0.5, "depth_loss": 0.7, "delta_mtl": -3.0},
}


class Machine:
    """Stands for `subprocess.Popen` and `os.wait4`: leaves what they would.

    Args:
        mib: Size of each process.
        killed: Number of the process that is killed.
        epochs: Epochs that this one had trained.
        seconds: What each takes.
    """

    def __init__(self, mib=200, killed=None, epochs=1, seconds=0.0):
        self.mib, self.killed, self.epochs = mib, killed, epochs
        self.seconds = seconds
        self.started = []

    def popen(self, command, **_):
        flags = dict(part[2:].split("=", 1) for part in command if "=" in part)
        workdir = pathlib.Path(flags["workdir"])
        killed = len(self.started) == self.killed
        self.started.append(workdir.name)
        if not killed or self.epochs:
            (workdir / "backup").mkdir(exist_ok=True)
            (workdir / "history.csv").write_text("seconds_per_step\n0.25\n")
        if not killed:
            parts = [METRICS[name] for name in flags["tasks"].split(",")]
            found = {k: v for part in parts for k, v in part.items()}
            (workdir / "metrics.json").write_text(json.dumps(found))
            config = {"regularization": {"stride": 4}}
            (workdir / "config.json").write_text(json.dumps(config))
        self.status = 9 if killed else 0
        return types.SimpleNamespace(pid=0)

    def wait4(self, *_):
        time.sleep(self.seconds)
        usage = types.SimpleNamespace(ru_maxrss=self.mib * 1024)
        return 0, self.status, usage


class RunTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())
        self.labels = self.folder / "labels.npy"
        np.save(self.labels, np.ones((4, 2)))

    def execute(self, method, machine, revision="a"):
        names = ("segmentation", "depth")
        run = Run(method, "onelabel", 0, 2, names, {"batch_size": 2})
        with (
            mock.patch.object(subprocess, "Popen", machine.popen),
            mock.patch("os.wait4", machine.wait4),
        ):
            return run.execute(self.folder / "run", self.labels, 0, revision)

    def kill(self, method, killed=0, epochs=1, **options):
        machine = Machine(killed=killed, epochs=epochs, **options)
        with self.assertRaisesRegex(RuntimeError, "jtr train failed"):
            self.execute(method, machine)

    def test_all_processes_of_a_run_count(self):
        self.kill("supervised", mib=300, seconds=0.5)
        row = self.execute("supervised", Machine(seconds=0.5))
        self.assertBetween(row["seconds"], 1.0, 10.0)
        self.assertEqual(row["peak_mib"], 300.0)
        self.assertEqual(row["seconds_per_step"], 0.25)

    def test_a_row_has_all_metrics_but_losses(self):
        row = self.execute("supervised", Machine())
        metrics = METRICS["segmentation"] | METRICS["depth"]
        del metrics["depth_loss"]
        self.assertEqual(row, row | metrics)
        self.assertNotIn("depth_loss", row)
        self.assertEqual(row["regularization"], '{"stride": 4}')

    def test_seconds_of_networks_are_summed(self):
        row = self.execute("single_task", Machine(seconds=0.5))
        self.assertBetween(row["seconds"], 1.0, 10.0)
        self.assertEqual(row["peak_mib"], 200.0)
        self.assertEqual(row["seconds_per_step"], 0.5)

    def test_networks_give_their_metrics_and_no_delta(self):
        row = self.execute("single_task", Machine())
        self.assertEqual(row["segmentation_miou"], 0.25)
        self.assertEqual(row["depth_abs_err"], 0.5)
        # That of one network is not that of the run.
        self.assertNotIn("delta_mtl", row)

    def test_what_has_ended_is_that_of_its_revision(self):
        first = self.execute("single_task", Machine(), "a")
        machine = Machine()
        again = self.execute("single_task", machine, "b")
        self.assertEqual(machine.started, [])
        self.assertEqual(again, first)
        self.assertEqual(again["revision"], "a")

    def test_what_was_killed_is_that_of_all_its_revisions(self):
        self.kill("supervised")
        for _ in range(2):
            row = self.execute("supervised", Machine(), "b")
            self.assertEqual(row["revision"], "a, b")

    def test_only_networks_that_are_left_are_trained(self):
        self.kill("single_task", killed=1, epochs=0)
        machine = Machine()
        row = self.execute("single_task", machine, "b")
        self.assertEqual(machine.started, ["1"])
        self.assertEqual(row["revision"], "a, b")

    def test_what_was_killed_before_its_first_epoch_made_nothing(self):
        self.kill("supervised", epochs=0)
        row = self.execute("supervised", Machine(), "b")
        self.assertEqual(row["revision"], "b")

    def test_code_of_a_folder_that_does_not_say_it_is_unknown(self):
        self.kill("supervised")
        (self.folder / "run" / "revision.txt").unlink()
        row = self.execute("supervised", Machine(), "b")
        self.assertEqual(row["revision"], "unknown, b")

    def test_other_labels_are_not_taken_for_done(self):
        self.execute("supervised", Machine())
        self.labels = self.folder / "others.npy"
        np.save(self.labels, np.zeros((4, 2)))
        machine = Machine()
        self.execute("supervised", machine)  # `jtr train` may refuse them.
        self.assertEqual(machine.started, ["0"])

    def test_killed_with_its_parent_it_counts_up_to_its_last_word(self):
        processes = Processes(self.folder)
        begin = {"begin": time.time() - 60.0}
        processes.path.write_text(json.dumps(begin) + "\n")
        time.sleep(0.01)
        processes.log.write_text("Epoch 3")
        processes.begin({})
        processes.end(mib=100.0, status=0)
        seconds, mib = processes.totals()
        self.assertBetween(seconds, 60.0, 90.0)
        self.assertEqual(mib, 100.0)
