import numpy as np

from benchmarks import target_quality
from tests import toy
from tests.testing import TestCase

LABELLED = np.float32([[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1]])


def qualities(labelled):
    model = toy.make_model(toy.make_restoration())
    batch = toy.make_batch(np.ones((3, 4)))
    return target_quality.qualities(model, [(batch, labelled)])


class TargetQualityTest(TestCase):
    def test_an_untrained_restorer_changes_nothing(self):
        found = qualities(LABELLED)
        for name, error in found["first view"].items():
            self.assertGreater(error, 0.0)
            for target in ("denoised", "restored from labels"):
                self.assertAllClose(found[target][name], error, rtol=1e-4)

    def test_only_labels_that_are_not_given_count(self):
        found = qualities(np.float32([[1, 0, 1, 1]] * 3))
        found = found["restored from labels"]
        self.assertGreater(found["depth"], 0.0)
        self.assertEqual(
            [found[k] for k in ("segmentation", "normals", "edges")], [0.0] * 3
        )

    def test_a_look_changes_nothing(self):
        model = toy.make_model(toy.make_restoration())
        before = [v.numpy() for v in model.variables]
        probe = (toy.make_batch(np.ones((3, 4))), LABELLED)
        target_quality.qualities(model, [probe])
        for old, variable in zip(before, model.variables, strict=True):
            self.assertAllEqual(variable, old)
