from benchmarks import task_scaling
from tests.testing import TestCase


def row(tasks, seconds, method="label_restoration"):
    return {
        "labels": "onelabel",
        "method": method,
        "tasks": tasks,
        "median_s": seconds,
        "peak_mib": 100.0 * tasks,
    }


ROWS = [
    *(row(2, s) for s in (0.9, 1.0, 5.0)),
    *(row(4, s) for s in (1.2, 1.1, 1.4)),
    row(2, 0.5, "none"),
    row(4, 0.6, "none"),
]


class TaskScalingTest(TestCase):
    def test_a_point_is_the_median_of_its_rounds(self):
        found = task_scaling.curve(
            ROWS, "onelabel", "label_restoration", "median_s"
        )
        self.assertEqual(found, ([2, 4], [1.0, 1.2]))

    def test_slope_is_a_share_of_the_smallest_step(self):
        found = task_scaling.summarise(ROWS, "onelabel", "label_restoration")
        self.assertEqual(found["slope_percent_per_task"], 10.0)
        self.assertEqual(found["slope_of_what_it_adds"], 5.0)
        self.assertEqual(found["peak_mib"], 200.0)

    def test_one_label_an_image_needs_few_pairs(self):
        options = task_scaling.options
        self.assertEqual(options("cross_task", "onelabel", 8)["max_pairs"], 7)
        self.assertEqual(options("cross_task", "halflabels", 8), {})
        self.assertEqual(options("label_restoration", "onelabel", 8), {})
