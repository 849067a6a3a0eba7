import keras
import tensorflow as tf

from jtr_keras.models import feature_extractor
from tests.models.backbones import pyramid_backbone
from tests.testing import TestCase

IMAGES = tf.random.stateless_normal((1, 8, 16, 3), seed=(0, 1))


class FeatureExtractorTest(TestCase):
    def test_pyramid_outputs_as_of_keras_hub(self):
        # Whatever the order in which they are listed, the finest comes first.
        backbone = pyramid_backbone()
        second, third = (
            backbone.get_layer(name).output for name in ("second", "third")
        )
        backbone.pyramid_outputs = {"P3": third, "P2": second}
        outputs = feature_extractor(backbone)(IMAGES)
        self.assertEqual(
            [x.shape for x in outputs], [(1, 2, 4, 5), (1, 1, 2, 6)]
        )
        self.assertAllClose(outputs[1], backbone(IMAGES))

    def test_pyramid_level_inputs_as_of_keras_cv(self):
        backbone = pyramid_backbone()
        backbone.pyramid_level_inputs = {"P2": "second", "P1": "first"}
        outputs = feature_extractor(backbone)(IMAGES)
        self.assertEqual(
            [x.shape for x in outputs], [(1, 4, 8, 4), (1, 2, 4, 5)]
        )

    def test_others_are_called_as_they_are(self):
        for backbone in (pyramid_backbone(), keras.layers.Conv2D(4, 1)):
            self.assertIs(feature_extractor(backbone), backbone)

    def test_weights_are_the_backbones(self):
        backbone = pyramid_backbone()
        backbone.pyramid_level_inputs = {"P2": "second", "P3": "third"}
        extractor = feature_extractor(backbone)
        self.assertEqual(
            [id(w) for w in extractor.weights],
            [id(w) for w in backbone.weights],
        )

    def test_what_is_no_layer(self):
        with self.assertRaisesRegex(ValueError, "must be a Keras layer.*'vgg'"):
            feature_extractor("vgg")
