import keras
import numpy as np

from jtr_keras.regularization import (
    Composition,
    PseudoLabels,
    ViewConsistency,
)
from tests import toy
from tests.conformance import tiny
from tests.testing import TestCase


class CompositionTest(TestCase):
    def test_terms_are_those_of_the_parts(self):
        jtr, views = toy.make_regularization(), ViewConsistency(weight=3.0)
        both = Composition([jtr, views])
        both.bind(toy.make_tasks(), toy.FEATURES)
        self.assertEqual(both.num_views, 3)
        self.assertEqual(both.loss_weights["view_consistency"], 3.0)
        _, y_true, labelled = toy.make_batch()
        y_pred = toy.make_predictions()
        found = both(y_true, y_pred, labelled, **toy.make_inputs(both))
        expected = jtr(y_true, y_pred, labelled)
        expected |= views(y_true, y_pred, labelled, **toy.make_inputs(views))
        self.assertEqual(set(found), set(expected))
        for name, loss in expected.items():
            self.assertAllClose(found[name], loss)

    def test_a_list_trains_and_is_saved(self):
        parts = [toy.make_regularization(), PseudoLabels(), ViewConsistency()]
        model = tiny.make_model(regularization=parts)
        model.compile("sgd", jit_compile=False, run_eagerly=True)
        logs = model.fit(toy.make_dataset(toy.make_batch()), verbose=0).history
        self.assertTrue(np.isfinite(logs["view_consistency"]).all())
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path).regularization
        self.assertEqual(copy.get_config(), model.regularization.get_config())
        pairs = zip(copy.weights, model.regularization.weights, strict=True)
        for first, second in pairs:
            self.assertAllEqual(first, second)

    def test_names_must_differ(self):
        with self.assertRaisesRegex(ValueError, "distinct.*view_consistency"):
            Composition([ViewConsistency(), ViewConsistency()])

    def test_parts_must_be_regularizations(self):
        with self.assertRaisesRegex(ValueError, r"`parts\[1\]` must.*'joint'"):
            Composition([ViewConsistency(), "joint"])
