import contextlib
import io
import pathlib
import subprocess
import types
from unittest import mock

import numpy as np

from benchmarks import compare, methods, report, revisions
from benchmarks.runs import Run
from jtr_keras import tasks
from jtr_keras.data import DATASETS
from tests.testing import TestCase

TASKS = [
    tasks.SemanticSegmentation(num_classes=13),
    tasks.Depth(mean=2.0, stddev=1.0),
]


def row(method, seed, miou, depth):
    return {
        "method": method,
        "labels": "onelabel",
        "seed": seed,
        "segmentation_miou": miou,
        "depth_abs_err": depth,
        "seconds_per_step": "0.5",
        "peak_mib": "100",
    }


ROWS = [
    row("supervised", "0", "0.2", "1.0"),
    row("supervised", "1", "0.4", "0.5"),
    row("label_restoration", "0", "0.3", "0.9"),
    row("label_restoration", "1", "0.4", "0.6"),
    row("label_restoration", "2", "0.9", "0.1"),
]


class ReportTest(TestCase):
    def test_gains_are_over_the_run_of_the_same_seed(self):
        gains = report.all_gains(ROWS, TASKS, "supervised")
        # Seed 0: (+50 % + 10 %) / 2; seed 1: (0 - 20 %) / 2; seed 2 has none.
        self.assertAllClose(
            gains["label_restoration"], [30.0, -10.0], atol=1e-4
        )
        self.assertAllClose(gains["supervised"], [0.0, 0.0])
        self.assertEqual(
            gains, report.all_gains(ROWS[::-1], TASKS, "supervised")
        )

    def test_spread_and_standard_error(self):
        self.assertEqual(report.spread([1.0, 3.0], 2), "2.00 ± 1.41")
        self.assertEqual(report.standard_error([1.0, 3.0]), "1.00")
        self.assertEqual(report.spread([]), "")

    def test_table_has_a_line_a_method(self):
        gains = report.all_gains(ROWS, TASKS, "supervised")
        lines = report.table(ROWS, TASKS, gains)
        self.assertLen(lines, 4)
        self.assertIn("| label_restoration | 3 | 0.5333 ± 0.3215 |", lines[3])
        # Two of the three have a supervised run of their seed.
        self.assertIn("| 10.00 ± 28.28 (2) | 30.0, -10.0 | 20.00 |", lines[3])

    def test_table_has_gains_over_single_task(self):
        rows = [row("single_task", "1", "0.5", "1.0"), *ROWS]
        gains = report.all_gains(rows, TASKS, "supervised")
        lines = report.table(rows, TASKS, gains)
        # Supervised, of seed 1: (-20 % + 50 %) / 2; the others have none.
        self.assertEqual(
            lines[2],
            "| supervised | 2 | 0.3000 ± 0.1414 | 0.7500 ± 0.3536 "
            "|  |  |  | 15.00 (1) | 0.500 | 100 |",
        )
        # Over supervised: (25 % - 100 %) / 2.
        self.assertEqual(
            lines[3],
            "| single_task | 1 | 0.5000 | 1.0000 "
            "| -37.50 | -37.5 |  | 0.00 | 0.500 | 100 |",
        )
        # (-20 % + 40 %) / 2.
        self.assertIn("| 20.00 | 10.00 (1) | 0.500 | 100 |", lines[4])

    def test_table_of_tasks_says_how_many_runs_gained(self):
        lines = report.task_table(ROWS, TASKS)
        self.assertLen(lines, 3)
        # Segmentation: +50 % and 0; depth: +10 % and -20 %.
        self.assertEqual(
            lines[2],
            "| label_restoration | 10.0 ± 20.0 (1 of 2) "
            "| 25.0 ± 25.0 (1 of 2) | -5.0 ± 15.0 (1 of 2) |",
        )
        self.assertEqual(report.mean_gain([2.0]), "2.0 (1 of 1)")

    def test_supervised_runs_alone_have_no_gains_to_print(self):
        printed = io.StringIO()
        plot = pathlib.Path(self.get_temp_dir()) / "plot.png"
        with contextlib.redirect_stdout(printed):
            rows = [row | {"seconds": "60"} for row in ROWS[:2]]
            report.report(rows, TASKS, plot)
        self.assertIn("| supervised | 2 |", printed.getvalue())
        self.assertNotIn("gains of each task", printed.getvalue())


class RunTest(TestCase):
    def test_single_task_is_a_network_a_task(self):
        names = ["segmentation", "depth"]
        networks = methods.parts(methods.SINGLE_TASK, names)
        self.assertEqual([n["tasks"] for n in networks], [[n] for n in names])
        self.assertLen(methods.parts(methods.SUPERVISED, names), 1)

    def test_steps_are_whole_epochs(self):
        run = Run("supervised", "onelabel", 0, 50, (), {"batch_size": 4})
        # 18 images are 4 whole batches.
        self.assertEqual(run.epochs(num_images=18), 12)
        self.assertEqual(run.epochs(num_images=800), 1)

    def test_whatever_changes_a_run_changes_its_key(self):
        base = {
            "method": "supervised",
            "labels": "onelabel",
            "seed": 0,
            "steps": 10,
            "tasks": ("depth",),
            "shared": {"batch_size": 4},
        }
        changes = [
            {"method": "label_restoration"},
            {"labels": "full"},
            {"seed": 1},
            {"steps": 11},
            {"tasks": ("normals",)},
            {"shared": {"batch_size": 8}},
        ]
        keys = {Run(**(base | change)).key for change in [{}, *changes]}
        self.assertLen(keys, 1 + len(changes))


class RevisionTest(TestCase):
    def test_it_is_that_of_this_tree_wherever_the_command_runs(self):
        with contextlib.chdir(self.get_temp_dir()):
            self.assertRegex(revisions.current(), r"^[0-9a-f]{7,}\+?$")

    def test_a_row_names_what_made_its_run(self):
        results = compare.Results(pathlib.Path(self.get_temp_dir()) / "a.csv")
        run = mock.Mock(labels="onelabel", method="supervised", seed=0, key="k")
        run.name = "supervised-0"
        made = {"revision": "dd67796, 1350bbe", "seconds": 1.4}
        run.execute.return_value = made
        flags = types.SimpleNamespace(runs="runs", threads=1)
        with (
            mock.patch.object(compare, "FLAGS", flags),
            mock.patch.object(revisions, "current", return_value="1350bbe"),
        ):
            compare.one(run, "a.npy", results)
        run.execute.assert_called_once_with(
            pathlib.Path("runs/supervised-0"), "a.npy", 1, "1350bbe"
        )
        names = {"labels": "onelabel", "method": "supervised", "seed": "0"}
        expected = names | made | {"seconds": "1", "key": "k"}
        self.assertEqual(results.read(), [expected])

    def test_without_git_nothing_runs(self):
        run = mock.Mock()
        with (
            mock.patch.dict("os.environ", {"GIT_DIR": "/nowhere"}),
            self.assertRaises(subprocess.CalledProcessError),
        ):
            compare.one(run, "a.npy", compare.Results(pathlib.Path("unused")))
        run.execute.assert_not_called()


class ExecuteTest(TestCase):
    def execute(self, labels, one):
        runs = [
            Run("supervised", name, seed, 10, ("depth",), {"batch_size": 4})
            for seed, name in enumerate(labels)
        ]
        results = compare.Results(pathlib.Path(self.get_temp_dir()) / "a.csv")
        printed = io.StringIO()
        flags = types.SimpleNamespace(
            jobs=1,
            runs=self.get_temp_dir(),
            dataset="rooms",
            root=None,
            train_split="train[:4]",
            task_options=None,
        )
        with (
            mock.patch.object(compare, "FLAGS", flags),
            mock.patch.object(compare, "one", one),
            contextlib.redirect_stdout(printed),
        ):
            failed = compare.execute(runs, results)
        return failed, printed.getvalue()

    def test_runs_that_fail_are_told_and_end_no_others(self):
        errors = [RuntimeError("a"), ValueError("b"), FileNotFoundError("c")]
        one = mock.Mock(side_effect=[*errors, 60.0])
        failed, said = self.execute(["onelabel"] * 4, one)
        self.assertTrue(failed)
        for seed, error in enumerate(errors):
            self.assertIn(f"onelabel seed {seed}: FAILED: {error}", said)
        self.assertIn("onelabel seed 3: 1.0 min", said)

    def test_unknown_labels_end_it_before_anything_starts(self):
        there = pathlib.Path(self.get_temp_dir()) / "there.npy"
        columns = len(DATASETS["rooms"].open("", "train[:4]").columns)
        np.save(there, np.ones((4, columns), "float32"))
        labels = ["onelabel", "available", str(there)]
        one = mock.Mock(return_value=60.0)
        for wrong in ("onelabl", "gone.npy"):
            said = f"--labels.*must be one of.*'onelabel'.*got '{wrong}'"
            with self.assertRaisesRegex(SystemExit, said):
                self.execute([*labels, wrong], one)
        one.assert_not_called()
        failed, _ = self.execute(labels, one)
        self.assertFalse(failed)


class LabelFileTest(TestCase):
    def write(self, folder, split, tasks, seed=0, labels="onelabel"):
        values = {"dataset": "rooms", "root": None, "train_split": split}
        flags = types.SimpleNamespace(runs=folder, task_options=None, **values)
        with mock.patch.object(compare, "FLAGS", flags):
            run = Run("supervised", labels, seed, 10, tasks, {})
            return compare.label_file(run)

    def test_other_labels_are_another_file(self):
        folder = self.get_temp_dir()
        both = ("segmentation", "depth")
        paths = [
            self.write(folder, "train[:4]", both),
            self.write(folder, "train[:4]", ("depth", "normals")),
            self.write(folder, "train[:5]", both),
            self.write(folder, "train[:4]", both, seed=1),
        ]
        self.assertLen(set(paths), len(paths))
        self.assertEqual(set(pathlib.Path(folder).iterdir()), set(paths))
        self.assertEqual(self.write(folder, "train[:4]", both), paths[0])
        labels = np.load(paths[0])
        self.assertAllEqual(labels.sum(axis=1), np.ones(4))

    def test_labels_of_a_file_are_named_after_it(self):
        folder = pathlib.Path(self.get_temp_dir())
        (folder / "own").mkdir()
        given = str(folder / "own" / "mine.npy")
        np.save(given, np.float32([[1, 0, 1], [0, 1, 1]]))
        path = self.write(folder, "train[:2]", ("depth",), labels=given)
        self.assertEqual(path.parent, folder)
        self.assertRegex(path.name, r"^labels-mine-0-[0-9a-f]{10}\.npy$")
        self.assertAllEqual(np.load(path)[:, 1], [0, 1])  # Depth is second.
        path = self.write(folder, "train[:2]", ("depth",))
        self.assertRegex(path.name, r"^labels-onelabel-0-[0-9a-f]{10}\.npy$")

    def test_a_file_that_is_there_is_never_half_written(self):
        folder = self.get_temp_dir()
        path = self.write(folder, "train[:4]", ("depth",))
        before = path.read_bytes()
        with (
            mock.patch.object(np, "save", side_effect=OSError),
            self.assertRaises(OSError),
        ):
            self.write(folder, "train[:4]", ("depth",))
        self.assertEqual(path.read_bytes(), before)
