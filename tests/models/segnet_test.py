import keras
import numpy as np
import tensorflow as tf

from jtr_keras import MultiTaskModel, tasks
from jtr_keras.models import SegNet
from tests.testing import TestCase


class SegNetTest(TestCase):
    def test_size_is_the_references(self):
        # Counted in the authors' code, for the tasks of NYUv2.
        model = MultiTaskModel(
            SegNet(),
            [
                tasks.SemanticSegmentation(13),
                tasks.Depth(2.36, 1.59),
                tasks.SurfaceNormals(),
            ],
        )
        weights = model.predictor.trainable_weights
        count = sum(int(np.prod(weight.shape)) for weight in weights)
        self.assertEqual(count, 25_055_185)
        # A convolution and a normalisation, 26 times; two convolutions a head.
        self.assertLen(weights, 26 * 4 + 3 * 4)

    def test_shapes(self):
        segnet = SegNet(widths=(4, 8, 8), num_convs=(1, 1, 2))
        self.assertEqual(segnet.size_divisor, 8)
        self.assertEqual(segnet(np.ones((2, 8, 24, 3))).shape, (2, 8, 24, 4))
        self.assertEqual(
            segnet.compute_output_shape((None, 8, 24, 3)), (None, 8, 24, 4)
        )

    def test_decoder_undoes_the_encoder(self):
        segnet = SegNet(widths=(4, 8), num_convs=(1, 1))
        rng = np.random.default_rng(0)
        images = tf.constant(rng.normal(size=(2, 8, 8, 3)), "float32")
        outputs = segnet(images)
        expected = segnet.decoder(*segnet.encoder(images))
        self.assertAllClose(outputs, expected)

    def test_training_reaches_both_halves(self):
        segnet = SegNet(widths=(4, 8), num_convs=(1, 1))
        images = np.random.default_rng(0).normal(size=(2, 8, 8, 3))
        segnet(images)
        before = averages(segnet)
        segnet(images, training=False)
        for old, new in zip(before, averages(segnet), strict=True):
            self.assertAllEqual(old, new)
        segnet(images, training=True)
        for old, new in zip(before, averages(segnet), strict=True):
            self.assertNotAllClose(old, new)

    def test_levels_must_agree(self):
        with self.assertRaisesRegex(ValueError, "one positive number a level"):
            SegNet(widths=(4, 8), num_convs=(1,))


def averages(layer):
    return keras.tree.map_structure(
        lambda v: v.numpy(), layer.non_trainable_weights
    )
