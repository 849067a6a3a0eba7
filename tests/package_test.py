import doctest
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import jtr_keras
from tests.testing import TestCase

ROOT = pathlib.Path(jtr_keras.__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "jtr_keras").rglob("*.py")
    if ">>>" in path.read_text()
)
LOAD = (
    "import keras; print(keras.saving.get_registered_object('jtr_keras>Depth'))"
)


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    )
    return done.stdout + done.stderr


class ExamplesTest(TestCase):
    @parameterized.parameters(*MODULES)
    def test_examples_of_docstrings(self, name):
        names = {
            "keras": keras,
            "jtr_keras": jtr_keras,
            "tf": tf,
            "np": np,
        }
        module = sys.modules[name] if name in sys.modules else __import__(name)
        finder = doctest.DocTestFinder(exclude_empty=True)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        for test in finder.find(module, name, globs=names):
            runner.run(test)
        self.assertEqual(runner.summarize(verbose=False).failed, 0)
        self.assertGreater(runner.tries, 0)


class ImportTest(TestCase):
    @parameterized.parameters(
        "import jtr_keras; " + LOAD,
        "import keras, jtr_keras; " + LOAD,
        "import tensorflow, jtr_keras; " + LOAD,
        "import jtr_keras.data; " + LOAD,
        "from jtr_keras.tasks.depth import Depth; " + LOAD,
        "from jtr_keras.training import MultiTaskModel; " + LOAD,
    )
    def test_every_order_registers_the_classes(self, code):
        self.assertIn("<class 'jtr_keras.tasks.depth.Depth'>", run(code))

    def test_the_package_alone_is_light(self):
        code = (
            "import sys, jtr_keras; "
            "print({'tensorflow', 'keras'} & {*sys.modules})"
        )
        self.assertIn("set()", run(code))

    def test_optional_packages_are_not_imported(self):
        optional = {
            *("onnx", "tf2onnx", "onnxruntime", "openvino", "keras_hub"),
            *("tensorflow_serving", "ai_edge_litert"),
        }
        code = (
            "import sys, jtr_keras.training, jtr_keras.cli.export; "
            f"print({optional} & {{*sys.modules}})"
        )
        self.assertIn("set()", run(code))

    def test_another_backend_is_refused_with_advice(self):
        for code in ("import jtr_keras", "import jtr_keras.tasks"):
            found = run(code, KERAS_BACKEND="jax")
            self.assertIn("ImportError", found)
            self.assertIn("KERAS_BACKEND=tensorflow", found)

    def test_backend_of_the_configuration_file(self):
        home = pathlib.Path(self.get_temp_dir())
        (home / "keras.json").write_text(json.dumps({"backend": "torch"}))
        clean = {"KERAS_HOME": str(home), "KERAS_BACKEND": ""}
        self.assertIn("'torch'", run("import jtr_keras", **clean))

    def test_unknown_attribute(self):
        with self.assertRaisesRegex(AttributeError, "'jtr_keras'.*'nothing'"):
            _ = jtr_keras.nothing
