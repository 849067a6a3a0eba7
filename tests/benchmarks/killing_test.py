import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from tests.data import files
from tests.testing import TestCase

EPOCHS = 8


def between_epochs(workdir):
    """Whether an epoch was told and saved, and the next one was not told."""
    history = workdir / "history.csv"
    backup = workdir / "backup" / "training_metadata.json"
    if not (history.exists() and backup.exists()):
        return False
    return backup.stat().st_mtime_ns > history.stat().st_mtime_ns


class KillingTest(TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.get_temp_dir())
        for split in ("train", "val"):
            files.write_folder(self.folder, split, count=4)
        self.results = self.folder / "results.csv"

    def start(self, methods):
        command = [
            *(sys.executable, "-m", "benchmarks.compare", "--dataset=folder"),
            *(f"--root={self.folder}", f"--results={self.results}"),
            *("--batch_size=2", f"--steps={2 * EPOCHS}", "--tasks=depth"),
            *("--labels=onelabel", "--seeds=0", f"--methods={methods}"),
            '--task_options={"depth": {"mean": 2, "stddev": 1}}',
            '--backbone_options={"widths": [4, 8]}',
            f"--runs={self.folder / 'runs'}",
        ]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, text=True, stdout=pipe, stderr=pipe, start_new_session=True
        )

    def kill_between_epochs(self, process):
        """Kills the command and its child; returns the child's folder."""
        deadline = time.monotonic() + 300
        while True:
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.02)
            found = list(self.folder.glob("runs/supervised-*/0"))
            os.killpg(process.pid, signal.SIGSTOP)
            if found and between_epochs(found[0]):
                break
            os.killpg(process.pid, signal.SIGCONT)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return found[0]

    def rows(self, path):
        with path.open() as file:
            return list(csv.DictReader(file))

    def test_started_again_it_goes_on_and_says_what_fails(self):
        workdir = self.kill_between_epochs(self.start("supervised"))
        before = self.rows(workdir / "history.csv")
        self.assertLess(len(before), EPOCHS)
        # A relation of tasks needs two.
        process = self.start("cross_task,supervised")
        said, errors = process.communicate()
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("Some runs failed", errors)
        self.assertRegex(said, r"\[1/2\] cross_task .*: FAILED: .*")
        self.assertIn("at least two tasks", said)
        self.assertRegex(said, r"\[2/2\] supervised onelabel seed 0: \d")
        after = self.rows(workdir / "history.csv")
        epochs = [int(row["epoch"]) for row in after]
        self.assertEqual(epochs, list(range(EPOCHS)))
        self.assertEqual(after[: len(before)], before)
        (row,) = self.rows(self.results)
        self.assertEqual(row["method"], "supervised")
        lines = (workdir / "processes.jsonl").read_text().splitlines()
        first, second = (json.loads(line) for line in lines[1::2])
        self.assertGreater(first["seconds"], 0.0)
        seconds = first["seconds"] + second["seconds"]
        self.assertEqual(row["seconds"], f"{seconds:.0f}")
