"""The only tests here that train: a comparison is killed and goes on."""

import contextlib
import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np

from benchmarks import compare
from tests.benchmarks import commands
from tests.data import files
from tests.testing import TestCase

EPOCHS = 8


def between_epochs(workdir):
    """Whether an epoch was told and saved, and the next one was not told."""
    history = workdir / "history.csv"
    backup = workdir / "backup" / "training_metadata.json"
    if not (history.exists() and backup.exists() and backup.read_text()):
        return False  # Keras opens the file before it has what to write.
    return backup.stat().st_mtime_ns > history.stat().st_mtime_ns


class RunningTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())
        for split in ("train", "val"):
            files.write_folder(self.folder, split, count=4)
        self.results = self.folder / "results.csv"

    def flags(self, *methods):
        return [
            *("--dataset=folder", f"--root={self.folder}", "--tasks=depth"),
            '--task_options={"depth": {"mean": 2, "stddev": 1}}',
            *("--batch_size=2", f"--steps={2 * EPOCHS}", "--views=1"),
            *("--labels=onelabel", "--seeds=0"),
            '--backbone_options={"widths": [4, 8]}',
            f"--methods={','.join(methods)}",
            f"--results={self.results}",
            f"--runs={self.folder / 'runs'}",
        ]

    def run_here(self, *methods):
        """What the command prints in this process."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                commands.run(compare, *self.flags(*methods))
            except SystemExit as end:
                print(end)
        return printed.getvalue()

    def test_killed_it_goes_on_says_what_fails_and_reports(self):
        workdir = self.kill_between_epochs("supervised")
        before = self.rows(workdir / "history.csv")
        self.assertLess(len(before), EPOCHS)
        # A relation of tasks needs two.
        said = self.run_here("cross_task", "supervised", "single_task")
        self.assertRegex(said, r"\[1/3\] cross_task .*: FAILED: .*")
        self.assertIn("at least two tasks", said)
        self.assertRegex(said, r"\[2/3\] supervised onelabel seed 0: \d")
        self.assertRegex(said, r"\[3/3\] single_task onelabel seed 0: \d")
        self.assertIn("Some runs failed", said)
        self.check_history(workdir, before)
        self.check_report(said)
        self.check_rows(workdir)
        again = self.run_here("supervised", "single_task")
        self.assertIn("2 runs, 2 of them done.", again)
        self.assertNotIn("[1/", again)

    def kill_between_epochs(self, method):
        """Kills a process of the command and its child; the child's folder."""
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.compare", *self.flags(method)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 300
        while True:
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.02)
            found = list(self.folder.glob(f"runs/{method}-*/0"))
            os.killpg(process.pid, signal.SIGSTOP)
            if found and between_epochs(found[0]):
                break
            os.killpg(process.pid, signal.SIGCONT)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return found[0]

    def check_history(self, workdir, before):
        """No epoch is told twice or left out."""
        after = self.rows(workdir / "history.csv")
        epochs = [int(row["epoch"]) for row in after]
        self.assertEqual(epochs, list(range(EPOCHS)))
        self.assertEqual(after[: len(before)], before)

    def check_report(self, said):
        self.assertIn("| supervised | 1 |", said)
        self.assertIn("| single_task | 1 |", said)
        self.assertRegex(
            said,
            r"onelabel, gains of each task\n\n.*\n.*\n"
            r"\| single_task( \| -?\d+\.\d \([01] of 1\)){2} \|\n",
        )
        self.assertRegex(said, r"The runs took 0\.\d hours")
        self.assertTrue(self.results.with_suffix(".png").exists())

    def check_rows(self, workdir):
        """Both runs have a row, the killed one with the time of all of it."""
        rows = {row["method"]: row for row in self.rows(self.results)}
        self.assertEqual(set(rows), {"supervised", "single_task"})
        for row in rows.values():
            self.assertBetween(float(row["peak_mib"]), 100.0, 20_000.0)
            self.assertGreater(float(row["seconds_per_step"]), 0.0)
            self.assertTrue(np.isfinite(float(row["depth_abs_err"])))
        lines = (workdir / "processes.jsonl").read_text().splitlines()
        first, second = (json.loads(line) for line in lines[1::2])
        self.assertGreater(first["seconds"], 0.0)
        seconds = first["seconds"] + second["seconds"]
        self.assertEqual(rows["supervised"]["seconds"], f"{seconds:.0f}")

    def rows(self, path):
        with path.open() as file:
            return list(csv.DictReader(file))
