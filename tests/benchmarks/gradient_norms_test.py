from benchmarks import gradient_norms
from jtr_keras.regularization import ViewConsistency
from tests import toy
from tests.testing import TestCase


def ratios(weight):
    model = toy.make_model(ViewConsistency(weight))
    model.compile("sgd", jit_compile=False)
    batch = toy.make_batch(((1, 0, 0, 0), (0, 1, 0, 1), (0, 1, 1, 0)))
    return gradient_norms.ratios(model, [batch])["view_consistency"]


class GradientNormsTest(TestCase):
    def test_a_term_of_twice_the_weight_pulls_twice_as_strongly(self):
        one, two = ratios(1.0), ratios(2.0)
        for name in ("segmentation", "depth", "normals"):
            self.assertGreater(one[name], 0.0)
            self.assertAllClose(two[name], 2.0 * one[name], rtol=1e-3)
