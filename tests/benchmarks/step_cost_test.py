import contextlib
import io
import json
from unittest import mock

from benchmarks import probing, step_cost
from tests.benchmarks import commands
from tests.testing import TestCase


def measure(*flags):
    """The last line of what the script prints."""
    usual = ["--steps=2", "--batch_size=1", "--views=1"]
    usual += ["--tasks=depth,normals", "--labels=full"]
    printed = io.StringIO()
    with (
        mock.patch.dict(probing.BACKBONE_OPTIONS, widths=[4, 8]),
        contextlib.redirect_stdout(printed),
    ):
        commands.run(step_cost, *usual, *flags)
    return json.loads(printed.getvalue().splitlines()[-1])


def scripted(medians):
    """Stands for a method whose turns take these seconds."""
    steps = mock.Mock()
    steps.median.side_effect = medians
    steps.model.tasks = ["depth", "normals"]
    return steps


class StepCostTest(TestCase):
    def test_methods_take_turns(self):
        slow = scripted([0.4, 0.9, 0.3])
        usual = scripted([0.2, 0.3, 0.3])
        with mock.patch.object(step_cost, "Steps", side_effect=[slow, usual]):
            found = measure("--against=none", "--steps=12")
        # Turn by turn it takes 100, 200 and 0 % longer.
        self.assertAllClose(found["extra_percent"], 100.0)
        self.assertAllClose(found["extra_quartiles"], [50.0, 150.0])
        self.assertAllClose(found["median_s"], 0.4)
        self.assertEqual(found["against"], "none")
        self.assertNotIn("peak_mib", found)  # It would be that of both.
        for steps in (slow, usual):
            turn = mock.call(step_cost.STEPS_A_TURN)
            self.assertEqual(steps.median.mock_calls, [turn] * 3)

    def test_what_is_timed_trains(self):
        made = []

        class Kept(step_cost.Steps):
            def __init__(self, *args):
                super().__init__(*args)
                made.append(self)

        with mock.patch.object(step_cost, "Steps", Kept):
            found = measure("--regularization=view_consistency")
        (steps,) = made
        regularization = type(steps.model.regularization).__name__
        self.assertEqual(regularization, "ViewConsistency")
        # Three before the first turn, which is the only one.
        iterations = int(steps.model.optimizer.iterations)
        self.assertEqual(iterations, 3 + step_cost.STEPS_A_TURN)
        self.assertEqual(found["regularization"], "view_consistency")
        self.assertNotIn("extra_percent", found)
        self.assertEqual(found["tasks"], 2)
        self.assertGreater(found["median_s"], 0.0)
        self.assertGreater(found["peak_mib"], 100.0)
