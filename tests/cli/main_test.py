import os
import subprocess
import sys
import time

from absl.testing import parameterized

from jtr_keras.cli.commands import COMMANDS
from jtr_keras.cli.main import main
from tests.cli.running import run
from tests.testing import TestCase


class MainTest(TestCase):
    def test_help_is_quick_and_loads_no_tensorflow(self):
        code = (
            "import sys; from jtr_keras.cli.main import main; main({!r}); "
            "assert not {{'tensorflow', 'keras'}} & {{*sys.modules}}"
        )
        for arguments in (["--help"], ["train", "--help"]):
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", code.format(arguments)],
                capture_output=True,
                text=True,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Usage: jtr", done.stdout)
            # Half a second on an idle machine.
            self.assertLess(time.perf_counter() - start, 5.0)

    def test_a_reader_of_help_may_stop_early(self):
        read, write = os.pipe()
        os.close(read)
        code = "from jtr_keras.cli.main import main; main(['train', '--help'])"
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @parameterized.parameters(*COMMANDS)
    def test_every_flag_has_a_help(self, name):
        text = run(name, "--help")
        self.assertIn(f"Usage: jtr {name}", text)
        self.assertIn("  --model" if name != "train" else "  --workdir", text)

    @parameterized.parameters(
        ("fly", "no command 'fly'", "train"),
        ("train", "--workdir is required", ""),
        ("train --epoch=3", "flag 'epoch'", "--epochs"),
        ("train --epochs=0", "epochs=0", "positive"),
        ("train --schedule=x", "schedule", "cosine"),
        ("train --task_options=[1]", "task_options", "JSON object"),
        ("train --workdir=w extra", "'extra'", ""),
        ("train --workdir=w --dataset=x", "no dataset 'x'", "rooms"),
        ("train --workdir=w --dataset=folder", "needs --root", ""),
        ("train --workdir=w --tasks=x", "no task 'x'", "normals"),
        ("predict", "No image", ""),
        ("predict --model=x photo.jpg", "no file photo.jpg", ""),
        ("predict --model=x a/b.jpg c/b.png", "distinct names", "c/b.png"),
        ("evaluate", "--model is required", ""),
        ("evaluate --model=nothing", "no file nothing", ".keras"),
        ("export --model=nothing", "no file nothing", ".keras"),
    )
    def test_errors(self, line, message, alternatives):
        with self.assertRaises(SystemExit) as caught:
            main(line.split())
        self.assertRegex(str(caught.exception), message)
        self.assertIn(alternatives, str(caught.exception))

    def test_traceback_on_request(self):
        with self.assertRaisesRegex(ValueError, "--model is required"):
            main(["export", "--traceback"])
