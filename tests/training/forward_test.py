import keras
import numpy as np
import tensorflow as tf

from jtr_keras.regularization import ViewConsistency
from jtr_keras.training.batch import unpack
from jtr_keras.training.forward import forward, regularization_terms
from tests import toy
from tests.conformance import tiny
from tests.interaction.examples import GuidedExchange
from tests.testing import TestCase


class ForwardTest(TestCase):
    def test_every_view_is_predicted_in_training_mode(self):
        model = tiny.make_model(2, interaction=GuidedExchange())
        images = unpack(toy.make_batch(), model.tasks).images
        found = forward(model.predictor, images)
        self.assertEqual(found.features.shape, (3, 3, *toy.SIZE, 4))
        # All views are one batch for batch statistics: ask for all at once.
        copy = tiny.make_model(2, interaction=GuidedExchange())
        folded = tf.reshape(images, (9, *toy.SIZE, 3))
        expected = copy.predictor.outputs(folded, training=True)
        for views, one in (
            (found.y_pred["depth"], expected.predictions["depth"]),
            (found.features, expected.features),
            (
                found.auxiliary["initial"]["segmentation"],
                expected.auxiliary["initial"]["segmentation"],
            ),
        ):
            self.assertAllClose(views[1, 2], one[5])

    def test_what_layers_add_is_kept(self):
        model = tiny.make_model(1)
        backbone = model.predictor.backbone
        images = tf.ones((2, 1, *toy.SIZE, 3))
        self.assertEqual(float(forward(model.predictor, images).added), 0.0)
        backbone.kernel.regularizer = keras.regularizers.L2(0.5)
        expected = 0.5 * np.sum(backbone.kernel.numpy() ** 2)
        found = forward(model.predictor, images).added
        self.assertAllClose(found, expected)


class RegularizationTermsTest(TestCase):
    def terms(self, regularization, geometry=True):
        model = tiny.make_model(2, regularization=regularization)
        batch = unpack(toy.make_batch(geometry=geometry), model.tasks)
        outputs = forward(model.predictor, batch.images)
        return regularization_terms(
            regularization, batch, outputs, model.predictor, model.teacher
        )

    def test_none(self):
        self.assertEqual(self.terms(None), {})

    def test_terms_by_name(self):
        found = self.terms(ViewConsistency())
        self.assertEqual(list(found), ["view_consistency"])
        self.assertGreater(float(found["view_consistency"]), 0.0)

    def test_geometry_that_is_required_and_was_not_told(self):
        with self.assertRaisesRegex(
            ValueError, "requires to know how views were made: `x`.*'geometry'"
        ):
            self.terms(ViewConsistency(), geometry=False)

    def test_terms_without_a_weight(self):
        class Unweighted(ViewConsistency):
            def __init__(self):
                super().__init__()
                self.loss_weights = {"other": 1.0}

        with self.assertRaisesRegex(
            ValueError,
            r"`Unweighted.call`.*\['other'\].*got \['view_cons",
        ):
            self.terms(Unweighted())
