import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.models import DensePredictor, Pyramid, SegNet, UNet
from jtr_keras.tasks import Depth
from tests.models import backbones
from tests.testing import TestCase

IMAGES = tf.random.stateless_normal((2, 16, 32, 3), seed=(0, 1))
NAMES = ("first", "second", "third")


def shapes(maps):
    return [tuple(x.shape) for x in maps]


class MapsTest(TestCase):
    def test_one_map(self):
        backbone = backbones.pyramid_backbone()
        pyramid = Pyramid(backbone)
        self.assertEqual((pyramid.strides, pyramid.channels), ((8,), (6,)))
        (found,) = pyramid(IMAGES)
        self.assertAllClose(found, backbone(IMAGES))

    @parameterized.parameters(
        (["first", "second", "third"],),
        (["third", "first", "second"],),
        ({"c": "first", "b": "second", "a": "third"},),
        ({"a": "first", "b": ["third", "second"]},),
    )
    def test_several_maps_in_any_order(self, names):
        backbone = backbones.pyramid_backbone()
        several = backbones.outputs_of(backbone, names)
        pyramid = Pyramid(several)
        self.assertEqual(pyramid.strides, (2, 4, 8))
        self.assertEqual(pyramid.channels, (4, 5, 6))
        expected = backbones.outputs_of(backbone, list(NAMES))(IMAGES)
        for one, other in zip(pyramid(IMAGES), expected, strict=True):
            self.assertAllClose(one, other)

    def test_pyramid_outputs_as_of_keras_hub(self):
        backbone = backbones.pyramid_backbone()
        backbone.pyramid_outputs = {
            "P3": backbone.get_layer("third").output,
            "P2": backbone.get_layer("second").output,
        }
        maps = Pyramid(backbone)(IMAGES)
        self.assertEqual(shapes(maps), [(2, 4, 8, 5), (2, 2, 4, 6)])
        self.assertAllClose(maps[1], backbone(IMAGES))

    def test_pyramid_level_inputs_as_of_keras_cv(self):
        backbone = backbones.pyramid_backbone()
        backbone.pyramid_level_inputs = {"P2": "second", "P1": "first"}
        pyramid = Pyramid(backbone)
        self.assertEqual(pyramid.strides, (2, 4))
        self.assertEqual(shapes(pyramid(IMAGES)), [(2, 8, 16, 4), (2, 4, 8, 5)])
        self.assertEqual(
            [id(w) for w in pyramid.weights], [id(w) for w in backbone.weights]
        )

    def test_a_fixed_size(self):
        pyramid = Pyramid(backbones.pyramid_backbone((16, 32)))
        self.assertEqual(pyramid.strides, (8,))
        self.assertEqual(shapes(pyramid(IMAGES)), [(2, 2, 4, 6)])

    def test_decoders_give_their_levels(self):
        unet = UNet(widths=(4, 6, 8), stem_strides=2)
        segnet = SegNet(widths=(4, 6), num_convs=(1, 1))
        for backbone, strides, channels in (
            (unet, (2, 4, 8), (4, 6, 8)),
            (segnet, (1, 2), (4, 4)),
        ):
            pyramid = Pyramid(backbone)
            self.assertEqual(pyramid.strides, strides)
            self.assertEqual(pyramid.channels, channels)
            self.assertEqual(pyramid.size_divisor, backbone.size_divisor)
            maps = pyramid(IMAGES)
            self.assertAllClose(maps[0], backbone(IMAGES))
            self.assertEqual(
                shapes(maps),
                [
                    (2, 16 // s, 32 // s, c)
                    for s, c in zip(strides, channels, strict=True)
                ],
            )

    @parameterized.parameters(
        ("vgg", "`backbone` must be a Keras layer or model.*got 'vgg'"),
        (keras.layers.Conv2D, "must be a Keras layer or model.*got <class"),
        (
            keras.layers.GlobalAveragePooling2D(),
            r"must return features .*; got \(None, 3\) for 128x128 pixels",
        ),
    )
    def test_what_gives_no_maps(self, backbone, message):
        with self.assertRaisesRegex(ValueError, message):
            Pyramid(backbone)

    def test_saved_and_loaded(self):
        several = backbones.outputs_of(
            backbones.pyramid_backbone(), ["third", "first"]
        )
        images = keras.Input((None, None, 3))
        model = keras.Model(images, Pyramid(several, name="maps")(images))
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        self.assertEqual(copy.get_layer("maps").strides, (2, 8))
        for one, other in zip(copy(IMAGES), model(IMAGES), strict=True):
            self.assertAllClose(one, other)


class TokensTest(TestCase):
    @parameterized.parameters(0, 1, 5)
    def test_patches_row_by_row(self, prefix):
        backbone = backbones.Patches(prefix)
        pyramid = Pyramid(backbone)
        self.assertEqual((pyramid.strides, pyramid.channels), ((8,), (4,)))
        (found,) = pyramid(IMAGES)
        self.assertAllClose(found, backbone.embed(IMAGES))

    def test_sizes_unknown_while_tracing(self):
        pyramid = Pyramid(backbones.Patches(1))
        traced = tf.function(
            pyramid, input_signature=[tf.TensorSpec((None, None, None, 3))]
        )
        for images in (IMAGES, IMAGES[:, :8, :24]):
            self.assertAllClose(traced(images)[0], pyramid(images)[0])

    def test_images_that_are_no_multiple_of_a_patch(self):
        predictor = DensePredictor(backbones.Patches(1), [Depth(2.0, 1.0)], 4)
        found = predictor(IMAGES[:, :13, :21])
        self.assertEqual(found["depth"].shape, (2, 13, 21, 1))

    def test_tokens_that_are_no_patches(self):
        with self.assertRaisesRegex(
            ValueError, "returns 265 tokens for an image of 128x128 .* up to 8"
        ):
            Pyramid(backbones.Patches(9))


def mobile_net():
    network = keras.applications.MobileNetV2(
        weights=None, include_top=False, alpha=0.35, input_shape=(32, 64, 3)
    )
    names = ("block_1_expand_relu", "block_3_expand_relu", "out_relu")
    return backbones.outputs_of(network, dict(zip("abc", names, strict=True)))


BACKBONES = {
    "unet": lambda: UNet(widths=(4, 6, 8), stem_strides=2),
    "segnet": lambda: SegNet(widths=(4, 6), num_convs=(1, 2)),
    "residual": backbones.residual_backbone,
    "plain": backbones.pyramid_backbone,
    "mobile_net": mobile_net,
}


class StagesTest(TestCase):
    @parameterized.product(name=tuple(BACKBONES), training=(False, True))
    def test_stages_and_decode_are_a_call(self, name, training):
        pyramid = Pyramid(BACKBONES[name]())
        images = tf.random.stateless_normal((2, 32, 64, 3), seed=(0, 1))
        maps, features = [], images
        for stage in pyramid.stages:
            features = stage(features, training=training)
            maps.append(features)
        found = pyramid.decode(maps, training=training)
        self.assertLen(maps, len(pyramid.strides))
        expected = pyramid(images, training=training)
        for one, other in zip(found, expected, strict=True):
            self.assertAllClose(one, other, atol=1e-5)

    def test_statistics_are_the_backbones(self):
        backbone = backbones.residual_backbone()
        norms = [x for x in backbone.layers if "batch_norm" in x.name]
        Pyramid(backbone).stages[0](IMAGES, training=True)
        moved = [bool(np.any(norm.moving_mean != 0.0)) for norm in norms]
        self.assertEqual(moved, [True, False, False])

    def test_backbones_that_have_none(self):
        inputs = keras.Input((None, None, 3))
        first, second = (
            keras.layers.Conv2D(2, s, strides=s)(inputs) for s in (2, 4)
        )
        for backbone in (
            keras.Model(inputs, [first, second]),  # Both of the images.
            keras.Model(inputs, backbones.Patches()(inputs)),  # No maps.
            keras.layers.Conv2D(2, 2, strides=2),
            backbones.Patches(),
        ):
            with self.assertRaisesRegex(
                ValueError, "cannot be run stage by stage.*Use.*UNet"
            ):
                _ = Pyramid(backbone).stages
