import numpy as np
import tensorflow as tf

from jtr_keras import tasks
from jtr_keras.training.scoring import Scoring
from tests import toy
from tests.testing import TestCase


def first_view(values):
    return {name: value[:, 0] for name, value in values.items()}


class ScoringTest(TestCase):
    def score(self, labelled, baselines=None, spoil=False):
        scoring = Scoring(toy.make_tasks(), baselines)
        _, y_true, weights = toy.make_batch(labelled)
        y_pred = first_view(toy.make_predictions(batch=len(labelled)))
        if spoil:
            y_true["depth"] = y_true["depth"] * np.nan
        scoring.update(first_view(y_true), y_pred, weights)
        return {m.name: float(m.result()) for m in scoring.metrics}, y_true

    def test_unlabelled_images_do_not_count(self):
        one, _ = self.score([(1, 1, 1, 1)])
        two, y_true = self.score([(1, 1, 1, 1), (0, 0, 0, 0)])
        self.assertTrue(np.isfinite(list(one.values())).all())
        # The first image's targets differ with the batch: compare the depth.
        alone = Scoring(toy.make_tasks())
        alone.update(
            {name: value[:1, 0] for name, value in y_true.items()},
            {
                name: value[:1]
                for name, value in first_view(
                    toy.make_predictions(batch=2)
                ).items()
            },
            {name: tf.ones(1) for name in y_true},
        )
        for metric in alone.metrics:
            self.assertAllClose(metric.result(), two[metric.name])

    def test_names_tell_task_and_metric(self):
        found, _ = self.score([(1, 1, 1, 1)])
        self.assertLessEqual(
            {
                "segmentation_miou",
                "depth_abs_err",
                "normals_mean",
                "edges_abs_err",
                "delta_mtl",
            },
            set(found),
        )

    def test_delta_is_zero_at_the_baselines(self):
        found, _ = self.score([(1, 1, 1, 1)])
        baselines = {
            task.name: found[f"{task.name}_{task.primary_metric}"]
            for task in toy.make_tasks()
        }
        again, _ = self.score([(1, 1, 1, 1)], baselines)
        self.assertAllClose(again["delta_mtl"], 0.0, atol=1e-4)

    def test_tasks_without_any_label_are_left_out_of_delta(self):
        found, _ = self.score([(0, 1, 0, 0)], {"depth": 1.0}, spoil=False)
        expected = 100.0 * (1.0 - found["depth_abs_err"])
        self.assertAllClose(found["delta_mtl"], expected, rtol=1e-5)

    def test_void_targets_are_no_nan(self):
        found, _ = self.score([(1, 1, 1, 1)], spoil=True)
        self.assertTrue(np.isfinite(list(found.values())).all())

    def test_wrong_baselines(self):
        for wrong in ({"dept": 1.0}, "mse", ["depth"]):
            with self.assertRaisesRegex(ValueError, "dict.*depth.*got.*'"):
                Scoring(toy.make_tasks(), wrong)

    def test_primary_metric_must_be_a_metric(self):
        for name, found in (("mean", "'mean'"), (None, "None")):
            task = toy.make_tasks()[1]
            task.primary_metric = name
            with self.assertRaisesRegex(
                ValueError,
                f"`Depth.primary_metric` must be .*abs_err.*got {found}",
            ):
                Scoring([task])

    def test_metrics_see_values_of_logits(self):
        class Edges(tasks.Task):
            def __init__(self):
                super().__init__("edges", tasks.UnitInterval(from_logits=True))

            def error(self, targets, predictions):
                return predictions

        scoring = Scoring([Edges()])
        targets = {"edges": tf.ones((1, 2, 2, 1))}
        logits = {"edges": tf.zeros((1, 2, 2, 1))}
        scoring.update(targets, logits, {"edges": tf.ones(1)})
        self.assertAllClose(scoring.metrics[0].result(), 0.5)
