import doctest
import importlib
import json
import os
import pathlib
import runpy
import subprocess
import sys
from unittest import mock

import keras
import numpy as np
import setuptools
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
    @parameterized.named_parameters((name, name) for name in MODULES)
    def test_examples_of_docstrings(self, name):
        names = {
            "keras": keras,
            "jtr_keras": jtr_keras,
            "tf": tf,
            "np": np,
        }
        module = importlib.import_module(name)
        finder = doctest.DocTestFinder(exclude_empty=True)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        for test in finder.find(module, name, globs=names):
            runner.run(test)
        self.assertEqual(runner.summarize(verbose=False).failed, 0)
        self.assertGreater(runner.tries, 0)


class DistributionTest(TestCase):
    """What `setup.py` would put into a wheel."""

    def setUp(self):
        super().setUp()
        with mock.patch.object(setuptools, "setup") as setup:
            runpy.run_path(str(ROOT / "setup.py"))
        self.given = setup.call_args.kwargs

    def test_every_package_and_no_other_folder(self):
        modules = (ROOT / "jtr_keras").rglob("*.py")
        expected = {".".join(p.parent.relative_to(ROOT).parts) for p in modules}
        self.assertEqual(set(self.given["packages"]), expected)
        self.assertIn("jtr_keras.regularization.joint_task", expected)

    def test_rooms_come_along_without_their_further_annotations(self):
        names = [
            path.name
            for package, patterns in self.given["package_data"].items()
            for pattern in patterns
            for path in (ROOT / package.replace(".", "/")).glob(pattern)
        ]
        rooms = ["README.md", "main-train.tfrecord", "main-val.tfrecord"]
        self.assertCountEqual(names, ["py.typed", *rooms])


class ImportTest(TestCase):
    @parameterized.parameters(
        "import jtr_keras; " + LOAD,
        "import keras, jtr_keras; " + LOAD,
        "import tensorflow, jtr_keras; " + LOAD,
        "import jtr_keras.data; " + LOAD,
        "from jtr_keras.tasks.depth import Depth; " + LOAD,
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
            "from jtr_keras.training import MultiTaskModel; "
            "import sys, jtr_keras.cli.export; "
            f"print({optional} & {{*sys.modules}}); {LOAD}"
        )
        found = run(code)
        self.assertIn("set()", found)
        self.assertIn("<class 'jtr_keras.tasks.depth.Depth'>", found)

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

    def test_every_package_is_loaded_on_first_use(self):
        folders = (ROOT / "jtr_keras").glob("*/__init__.py")
        packages = {path.parent.name for path in folders} - {"cli"}
        self.assertEqual(set(jtr_keras._PACKAGES), packages)
        shortcuts = set(jtr_keras._SHORTCUTS)
        self.assertEqual(set(jtr_keras.__all__), packages | shortcuts)
        for name in jtr_keras.__all__:
            self.assertIsNotNone(getattr(jtr_keras, name))

    def test_unknown_attribute(self):
        with self.assertRaisesRegex(AttributeError, "'jtr_keras'.*'nothing'"):
            _ = jtr_keras.nothing
