import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.metrics import DeltaMTL
from tests.testing import TestCase

BASELINES = {"segmentation": 27.05, "depth": 0.6624, "normals": 33.58}
HIGHER = {"segmentation": True, "depth": False, "normals": False}


class DeltaMTLTest(TestCase):
    @parameterized.parameters(
        # Published tables: Nishi et al., 2024 (JTR and MTPSL rows of NYUv2;
        # JTR row of Cityscapes).
        (BASELINES, (37.08, 0.5541, 29.44), 21.919),
        (BASELINES, (35.60, 0.5576, 29.70), 19.661),
        ({"segmentation": 69.50, "depth": 0.0186}, (72.33, 0.0163), 8.219),
    )
    def test_published_values(self, baselines, values, expected):
        higher = {task: HIGHER[task] for task in baselines}
        delta = DeltaMTL(baselines, higher)
        gain = delta.gain(
            dict(zip(baselines, values, strict=True)),
            dict.fromkeys(baselines, 1.0),
        )
        self.assertAllClose(gain, expected, atol=5e-4)

    def test_result_asks_the_primary_metrics(self):
        delta = bound(segmentation=54.10, depth=0.3312, normals=33.58)
        delta.update_state(dict.fromkeys(BASELINES, 5.0))
        self.assertAllClose(delta.result(), (100.0 + 50.0 + 0.0) / 3.0)

    def test_tasks_without_annotated_pixels_are_left_out(self):
        # Their primary metric is 0, which would count as a gain of 100.
        delta = bound(segmentation=54.10, depth=0.0, normals=33.58)
        for _ in range(2):
            delta.update_state({"segmentation": 7, "depth": 0, "normals": 1})
        self.assertAllClose(delta.result(), (100.0 + 0.0) / 2.0)

    def test_a_task_annotated_in_one_batch_of_many_counts(self):
        delta = bound(segmentation=54.10, depth=0.3312, normals=33.58)
        delta.update_state({"segmentation": 0, "depth": 3, "normals": 0})
        delta.update_state({"segmentation": 2, "depth": 0, "normals": 0})
        self.assertAllClose(delta.result(), (100.0 + 50.0) / 2.0)

    def test_no_task_at_all_is_nan(self):
        delta = bound(segmentation=54.10, depth=0.3312, normals=33.58)
        self.assertTrue(np.isnan(delta.result()))
        delta.update_state(dict.fromkeys(BASELINES, 1))
        delta.reset_state()
        self.assertTrue(np.isnan(delta.result()))

    def test_config(self):
        arguments = {
            "baselines": BASELINES,
            "higher_is_better": HIGHER,
            "name": "gain",
            "dtype": "float64",
        }
        delta = DeltaMTL(**arguments)
        self.run_class_serialization_test(delta)
        config = delta.get_config()
        self.assertEqual(config | arguments, config)

    def test_names_of_tasks_must_agree(self):
        with self.assertRaisesRegex(ValueError, r"\['a'\] and \['a', 'b'\]"):
            DeltaMTL({"a": 1.0}, {"a": True, "b": True})

    @parameterized.parameters(0.0, -1.0, float("nan"))
    def test_baselines_must_be_positive(self, baseline):
        with self.assertRaisesRegex(ValueError, r"baselines\['a'\].*positive"):
            DeltaMTL({"a": baseline}, {"a": True})


def bound(**values):
    """The metric, bound to primary metrics that have these values."""
    delta = DeltaMTL(BASELINES, HIGHER)
    primary = {task: keras.metrics.Mean() for task in values}
    for task, value in values.items():
        primary[task].update_state(value)
    delta.bind(primary)
    return delta
