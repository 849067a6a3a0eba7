import subprocess
import sys
from unittest import mock

from jtr_keras.cli import lock
from jtr_keras.cli.workdir import Workdir
from tests.testing import TestCase

SETTINGS = {"schedule": "constant", "epochs": 1}
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


class ConfigureTest(TestCase):
    def test_flags_bind_a_run_that_can_go_on(self):
        workdir = Workdir(f"{self.get_temp_dir()}/run")
        workdir.configure(SETTINGS)
        other = SETTINGS | {"seed": 1}
        workdir.configure(other)
        # Killed within its first backup.
        workdir.backup.mkdir()
        (workdir.backup / "latest.weights.h5").touch()
        workdir.configure(other | {"seed": 2})
        self.assertFalse(workdir.backup.exists())
        workdir.configure(other)
        workdir.backup.mkdir()
        workdir.state.write_text('{"epoch": 1}')
        workdir.configure(other)
        with self.assertRaisesRegex(ValueError, "--seed=1 then, 0 now"):
            workdir.configure(SETTINGS | {"seed": 0})

    def test_epochs_that_will_be_trained_again_leave_the_history(self):
        workdir = Workdir(f"{self.get_temp_dir()}/run")
        workdir.backup.mkdir()
        header, rows = "epoch,loss\n", ["0,5.0\n", "1,4.0\n", "2,3.0\n"]
        for done in (2, 0):
            workdir.history.write_text("".join([header, *rows]))
            workdir.state.write_text(f'{{"epoch": {done}, "batch": 0}}')
            workdir.configure(SETTINGS)
            expected = "".join([header, *rows[:done]])
            self.assertEqual(workdir.history.read_text(), expected)


class LockTest(TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(f"{self.get_temp_dir()}/run")

    def held_by_another(self):
        """A process that trains in the folder until it is killed."""
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, self.workdir.path / "lock"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.assertEqual(process.stdout.readline(), b"held\n")
        return process

    def test_one_process_a_folder(self):
        with self.held_by_another() as process:
            with self.assertRaisesRegex(
                ValueError, f"Another process trains in {self.workdir.path}"
            ):
                self.workdir.configure(SETTINGS)
            self.assertFalse((self.workdir.path / "config.json").exists())
            process.kill()
        self.workdir.configure(SETTINGS)
        Workdir(self.workdir.path).configure(SETTINGS)  # It is this process.
        command = [sys.executable, "-c", HOLD, self.workdir.path / "lock"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertIn("BlockingIOError", done.stderr)

    def test_systems_without_locks(self):
        with self.held_by_another() as process:
            with mock.patch.object(lock, "fcntl", None):
                self.workdir.configure(SETTINGS)
            with mock.patch.object(lock.fcntl, "flock", side_effect=OSError):
                self.workdir.configure(SETTINGS)
            process.kill()
