"""What is registered needs no edit elsewhere: `tests/dummies.py` shows it."""

import pathlib
import re
import subprocess
import sys

from jtr_keras.registry import (
    AGGREGATIONS,
    BALANCINGS,
    INTERACTIONS,
    REGULARIZATIONS,
)
from tests.testing import TestCase

ROOT = pathlib.Path(__file__).parents[2]
PYTEST = ("-m", "pytest", "-n0", "-p", "tests.dummies")
JTR = ("-c", "from jtr_keras.cli.main import main; main()")
REGISTRIES = (INTERACTIONS, REGULARIZATIONS, BALANCINGS, AGGREGATIONS)
# Each kind's tests, and another row of theirs.
TABLES = (
    ("task", "normals"),
    ("regularization", "view_consistency"),
    ("interaction", "shared_features"),
    ("balancing", "fixed"),
    ("aggregation", "mean_of_directions"),
)


def python(*arguments):
    """What it prints, if all goes well."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class RegistrationTest(TestCase):
    def test_one_of_each_kind_is_a_row_of_every_law(self):
        tests = python(*PYTEST, "tests/conformance", "--collect-only").split()
        for kind, row in TABLES:
            of_kind = f"tests/conformance/{kind}_test.py::"
            laws = {
                name.removesuffix(row)
                for name in tests
                if name.startswith(of_kind) and name.endswith(f"_{row}")
            }
            self.assertGreater(len(laws), 3, kind)
            missing = {f"{law}dummy" for law in laws} - set(tests)
            self.assertEqual(missing, set())

    def test_rows_obey_the_laws(self):
        # The quick ones; `pytest -p tests.dummies -k dummy` runs all.
        laws = "dummy and (config or terms or serialization or no_influence)"
        printed = python(*PYTEST, "tests/conformance", "-k", laws)
        self.assertRegex(printed, r"\d passed")

    def test_the_command_line_names_them(self):
        text = python(*JTR, "train", "--import=tests.dummies", "--help")
        flags = dict(re.findall(r"\n  --(\w+) NAME([^-]*)", text))
        for registry in REGISTRIES:
            self.assertIn(" dummy", flags[registry.kind])
            self.assertNotIn("dummy", registry)
