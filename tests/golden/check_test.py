import pathlib
import subprocess
import sys
import unittest

import numpy as np
from absl.testing import parameterized

from tests.golden import check, comparing, jtr_file
from tests.testing import TestCase

FOLDER = pathlib.Path(__file__).parents[3] / "shared" / "golden"


@unittest.skipUnless(FOLDER.is_dir(), "../shared/golden is not here")
class CheckTest(TestCase):
    @parameterized.parameters("nyuv2", "cityscapes")
    def test_a_step_equals_the_authors_code(self, name):
        errors = check.main(FOLDER / f"{name}.npz")
        self.assertEqual(
            list(errors),
            [
                "predictions",
                *jtr_file.LOSSES,
                "model gradients",
                "joint gradients",
            ],
        )
        self.assertEqual(check.failures(errors), [])

    def test_cross_task_losses_equal_the_authors_code(self):
        errors = check.main(FOLDER / "mtpsl.npz")
        self.assertEqual(
            list(errors),
            [
                "cross_task",
                "total",
                "prediction gradients",
                "mapping gradients",
            ],
        )
        self.assertEqual(check.failures(errors), [])

    def test_nothing_expected_is_no_division_by_zero(self):
        self.assertEqual(comparing.relative([0.0, 0.0], [0.0, 0.0]), 0.0)
        self.assertEqual(comparing.relative([3.0, 4.0], [0.0, 0.0]), 5.0)
        self.assertEqual(comparing.relative([3.0, 4.0], [0.0, 4.0]), 0.75)

    @parameterized.parameters(
        ("cityscapes", "grad/jtr/", "joint gradients"),
        ("mtpsl", "grad/map/", "mapping gradients"),
    )
    def test_what_is_off_is_named(self, name, prefix, quantity):
        file = dict(np.load(FOLDER / f"{name}.npz"))
        file["total"] = file["total"] * (1 + 2e-6)
        key = next(key for key in file if key.startswith(prefix))
        file[key] = file[key] + 1.0
        path = pathlib.Path(self.get_temp_dir()) / "changed.npz"
        np.savez(path, **file)
        program = [sys.executable, check.__file__, str(path)]
        done = subprocess.run(program, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"too far off: total, {quantity}", done.stderr)
