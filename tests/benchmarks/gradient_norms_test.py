from benchmarks import gradient_norms
from jtr_keras.regularization import ViewConsistency
from tests import toy
from tests.testing import TestCase


def make_model(regularization):
    model = toy.make_model(regularization)
    model.compile("sgd", jit_compile=False, run_eagerly=True)
    return model


def make_batch():
    return toy.make_batch(((1, 0, 0, 0), (0, 1, 0, 1), (0, 1, 1, 0)))


def ratios(weight):
    model = make_model(ViewConsistency(weight))
    found = gradient_norms.ratios(model, [make_batch()])
    return found["view_consistency"]


class GradientNormsTest(TestCase):
    def test_a_term_of_twice_the_weight_pulls_twice_as_strongly(self):
        one, two = ratios(1.0), ratios(2.0)
        for name in ("segmentation", "depth", "normals"):
            self.assertGreater(one[name], 0.0)
            self.assertAllClose(two[name], 2.0 * one[name], rtol=1e-3)

    def test_a_look_changes_nothing(self):
        for regularization in (
            toy.make_restoration(),
            toy.make_regularization(semantics="reference"),  # Samples noise.
        ):
            model = make_model(regularization)
            batch = make_batch()
            model.train_on_batch(*batch)
            before = [v.numpy() for v in model.variables]
            gradient_norms.ratios(model, [batch, batch])
            for old, variable in zip(before, model.variables, strict=True):
                self.assertAllEqual(variable, old)
