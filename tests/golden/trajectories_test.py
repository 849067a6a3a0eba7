import functools
import json

from absl.testing import parameterized

from tests.golden import trajectories
from tests.testing import TestCase

# Few: each step multiplies the rounding errors of the one before, a hundred
# thousand times where a cosine is that of almost nothing.
STEPS = dict.fromkeys(trajectories.METHODS, 4)
STEPS["dynamic_average"] = 22  # It compares two periods of 10 steps.


@functools.cache
def recorded():
    return json.loads(trajectories.FILE.read_text())


class TrajectoriesTest(TestCase):
    @parameterized.parameters(*trajectories.METHODS)
    def test_losses_are_those_recorded(self, method):
        found = trajectories.trajectory(method, STEPS[method], run_eagerly=True)
        expected = recorded()[method][: len(found)]
        for step, pair in enumerate(zip(found, expected, strict=True)):
            losses, others = pair
            self.assertEqual(set(losses), set(others))
            for name, loss in losses.items():
                # Another machine, or another number of threads, sums in
                # another order. Any change of a method makes more.
                self.assertAllClose(
                    loss,
                    others[name],
                    rtol=1e-8,
                    atol=1e-12,
                    msg=f"{name}, step {step}",
                )

    def test_every_method_is_recorded(self):
        self.assertEqual(set(recorded()), set(trajectories.METHODS))
        for losses in recorded().values():
            self.assertLen(losses, trajectories.STEPS)
