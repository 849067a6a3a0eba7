import os
import subprocess
import sys

from absl.testing import parameterized

from jtr_keras.cli.main import COMMANDS, main
from jtr_keras.cli.train import LABELS
from jtr_keras.data.labels.label_settings import AVAILABLE, SETTINGS
from jtr_keras.registry import (
    AGGREGATIONS,
    BACKBONES,
    BALANCINGS,
    DATASETS,
    FORMATS,
    INTERACTIONS,
    REGULARIZATIONS,
)
from tests.cli.running import run
from tests.testing import TestCase

# Each line, what its message says, and what else it helps with.
MISTAKES = (
    ("fly", "'fly'", "'train', 'evaluate', 'predict', 'export'"),
    ("train", "required: --workdir", "jtr train --help"),
    ("train --workdir=", "must not be empty", ""),
    ("train --workdir=w --epoch=3", "no flag --epoch", "Is --epochs meant"),
    ("train --workdir=w --epochs=0", "--epochs: .*'0'", "positive integer"),
    ("train --workdir=w --seed=1.5", "--seed: .*'1.5'", "an integer"),
    ("train --workdir=w --learning_rate=x", "learning_rate: .*'x'", "number"),
    ("train --workdir=w --schedule=x", "--schedule: .*'x'", "'cosine'"),
    ("train --workdir=w --xla=yes", "--xla: .*'yes'", "'auto', 'on', 'off'"),
    ("train --workdir=w --check=maybe", "--check: .*'maybe'", ""),
    ("train --workdir=w --task_options=[1]", "task_options", "JSON object"),
    ("train --workdir=w --baselines={a:1}", "baselines", "JSON object"),
    ("train --workdir=w extra", "unexpected argument 'extra'", ""),
    ("train --workdir=w --dataset=x", "--dataset: .*'x'", "'rooms', 'folder'"),
    ("train --workdir=w --dataset=folder", "'folder' needs --root", ""),
    ("train --workdir=w --root=nowhere", "no folder nowhere", ""),
    ("train --workdir=w --labels=some", "labels: .*'some'", "halflabels"),
    ("train --workdir=w --labels=x.npy", "labels: .*'x.npy'", "existing"),
    ("train --workdir=w --backbone=x", "--backbone: .*'x'", "'segnet'"),
    ("train --workdir=w --interaction=x", "'x'", "'shared_features'"),
    ("train --workdir=w --regularization=x", "'x'", "'joint_task', 'label"),
    ("train --workdir=w --balancing=x", "--balancing: .*'x'", "'uncertainty'"),
    ("train --workdir=w --aggregation=x", "--aggregation: .*'x'", "'sum'"),
    (
        'train --workdir=w --balancing_options={"x":1}',
        "--balancing_options are given",
        "--balancing=none",
    ),
    ("train --workdir=w --import=nothing", "--import=nothing: ", "No module"),
    ("train --workdir=w --flagfile=nothing", "flagfile", "No such file"),
    ("predict --model=x", "required: IMAGE", ""),
    ("predict photo.jpg", "required: --model", ""),
    ("predict --model=x photo.jpg", "no file photo.jpg", ""),
    ("predict --model=x a/b.jpg c/b.png", "distinct names", "c/b.png"),
    (f"predict --model=nothing {__file__}", "no file nothing", "SavedModel"),
    ("evaluate", "required: --model", ""),
    ("evaluate --model=nothing", "no file nothing", ".keras"),
    ("evaluate --model=nothing --batch_size=0", "batch_size: ", "positive"),
    ("export --model=nothing", "no file nothing", ".keras"),
    ("export --model=x --format=x", "--format: .*'x'", "'openvino', 'litert'"),
    ("export --model=x --image_size=16", "HEIGHT,WIDTH", "got '16'"),
    ("export --model=x --image_size=16,x", "HEIGHT,WIDTH", "got '16,x'"),
    ("export --model=x --image_size=0,16", "HEIGHT,WIDTH", "got '0,16'"),
)
BEGIN = "from jtr_keras.cli.main import main; "
ALL = """
import sys
from jtr_keras.cli.main import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as error:
        print(int(bool(error.code)), file=sys.stderr)
assert not {"tensorflow", "keras"} & {*sys.modules}
"""


def python(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        **({"stdout": subprocess.PIPE} | options),
    )


class HelpTest(TestCase):
    def test_without_tensorflow(self):
        lines = ["", "help", "--help", "help train", *COMMANDS]
        lines[-len(COMMANDS) :] = [f"{name} -h" for name in COMMANDS]
        done = python(ALL, *lines)
        self.assertEqual(done.stderr.split(), ["0"] * len(lines))
        self.assertEqual(done.stdout.count("usage: jtr COMMAND"), 3)
        self.assertEqual(done.stdout.count("usage: jtr train"), 2)

    def test_a_reader_may_stop_early(self):
        read, write = os.pipe()
        os.close(read)
        done = python(BEGIN + "main(['train', '--help'])", stdout=write)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # What a command prints is more than help: that nobody read it counts.
        code = BEGIN + (
            "from jtr_keras.cli import evaluate; "
            "evaluate.run = lambda args: print(args.model); "
            "main(['evaluate', '--model=x'])"
        )
        done = python(code, stdout=write)
        self.assertEqual((done.returncode, done.stderr), (141, ""))
        os.close(write)

    @parameterized.parameters(*COMMANDS)
    def test_flags(self, name):
        text = run(name, "--help")
        self.assertIn(f"usage: jtr {name} --", text)
        own = "--workdir" if name == "train" else "--model"
        for flag in ("--import", "--[no]traceback", own):
            self.assertIn(f"\n  {flag}", text)

    def test_names_of_registries_are_listed(self):
        text = run("train", "--help")
        for registry in (
            *(BACKBONES, INTERACTIONS, REGULARIZATIONS, BALANCINGS),
            *(AGGREGATIONS, DATASETS),
        ):
            self.assertIn(f"--{registry.kind} NAME", text)
            for name in registry:
                self.assertIn(name, text)
        self.assertIn("Default: label_restoration.", text)
        self.assertIn("docs/benchmark.md", text)
        text = run("export", "--help")
        for name in FORMATS:
            self.assertIn(name, text)

    def test_label_settings_are_those_of_the_data(self):
        self.assertEqual(LABELS, (AVAILABLE, *SETTINGS))


class MistakesTest(TestCase):
    @parameterized.parameters(*MISTAKES)
    def test_message(self, line, message, help):
        with self.assertRaises(SystemExit) as caught:
            main(line.split())
        text = str(caught.exception)
        self.assertRegex(text, rf"^jtr( {line.split()[0]})?: .*{message}")
        self.assertIn(help, text)

    def test_refused_before_tensorflow_is_loaded(self):
        done = python(ALL, *[line for line, *_ in MISTAKES])
        self.assertEqual(done.stderr.split(), ["1"] * len(MISTAKES))

    def test_traceback_on_request(self):
        with self.assertRaisesRegex(ValueError, "no file nothing"):
            main(["export", "--model=nothing", "--traceback"])
