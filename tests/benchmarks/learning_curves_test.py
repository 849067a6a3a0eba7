import contextlib
import csv
import io
import json
import pathlib
import types
from unittest import mock

import numpy as np

from benchmarks import compare, learning_curves
from benchmarks.runs import Run
from tests.testing import TestCase

NAMES = ("segmentation", "depth")


def finished(root, method, rows):
    """A run of that method that left these losses."""
    run = Run(method, "onelabel", 0, 10, NAMES, {"batch_size": 4})
    folder = root / run.name / "0"
    folder.mkdir(parents=True)
    with (folder / "history.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow([f"{name}_loss" for name in NAMES])
        writer.writerows(rows)
    (folder / "metrics.json").write_text("{}")
    return run


class LearningCurvesTest(TestCase):
    def test_how_much_lower_losses_are(self):
        root = pathlib.Path(self.get_temp_dir())
        supervised = finished(root, "supervised", [[2.0, 1.0], [1.0, 0.5]])
        other = finished(root, "label_restoration", [[1.5, 1.0], [1.0, 0.6]])
        curves = [
            learning_curves.losses(root, run, NAMES)
            for run in (other, supervised)
        ]
        expected = [[25.0, 0.0], [0.0, -20.0]]
        self.assertAllClose(learning_curves.lead(*curves), expected)

    def test_runs_that_have_not_ended_do_not_count(self):
        root = pathlib.Path(self.get_temp_dir())
        run = finished(root, "supervised", [[2.0, 1.0]])
        (root / run.name / "0" / "metrics.json").unlink()
        self.assertIsNone(learning_curves.losses(root, run, NAMES))
        networks = finished(root, "single_task", [[2.0, 1.0]])
        self.assertIsNone(learning_curves.losses(root, networks, NAMES))

    def test_mean_over_epochs_and_error_over_runs(self):
        # Two epochs of two runs: means 2 and 4.
        values = np.array([[1.0, 3.0], [3.0, 5.0]])
        self.assertEqual(learning_curves.spread(values), "+3.0 ± 1.0")
        self.assertEqual(learning_curves.spread(values[:, :1]), "+2.0")

    def test_tasks_get_their_options(self):
        root = pathlib.Path(self.get_temp_dir())
        finished(root, "supervised", [[2.0, 1.0]] * 4)
        run = finished(root, "label_restoration", [[1.5, 1.0]] * 4)
        options = {  # Without them, a folder has none of these tasks.
            "segmentation": {"num_classes": 5},
            "depth": {"mean": 2, "stddev": 1},
        }
        flags = types.SimpleNamespace(
            dataset="folder",
            tasks=list(NAMES),
            task_options=json.dumps(options),
            runs=root,
            plot=root / "curves.png",
        )
        printed = io.StringIO()
        with (
            mock.patch.object(compare, "FLAGS", flags),
            mock.patch.object(learning_curves, "FLAGS", flags),
            mock.patch.object(learning_curves, "planned", return_value=[run]),
            mock.patch.object(learning_curves, "plot_curves"),
            contextlib.redirect_stdout(printed),
        ):
            learning_curves.main(None)
        line = "| onelabel | label_restoration | 1 | segmentation | +25.0 |"
        self.assertIn(line, printed.getvalue())

    def test_the_plot_is_a_picture(self):
        path = pathlib.Path(self.get_temp_dir()) / "curves.png"
        found = {("onelabel", "label_restoration"): [np.zeros((2, 3))]}
        learning_curves.plot_curves(found, NAMES, path)
        self.assertEqual(path.read_bytes()[1:4], b"PNG")
