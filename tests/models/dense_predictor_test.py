import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.models import DensePredictor, SegNet, UNet
from jtr_keras.tasks import Depth, SemanticSegmentation, SurfaceNormals
from tests.models.backbones import pyramid_backbone
from tests.testing import TestCase

CHANNELS = {"segmentation": 4, "depth": 1, "normals": 3}


class DensePredictorTest(TestCase):
    @parameterized.product(
        size=((16, 16), (13, 21), (1, 1)),
        backbone=("unet", "segnet", "plain", "pyramid"),
    )
    def test_predictions_have_the_size_of_images(self, size, backbone):
        predictor = make_predictor(backbone)
        predictions = predictor(np.ones((2, *size, 3), "float32"))
        self.assertEqual(
            {name: tuple(p.shape) for name, p in predictions.items()},
            {name: (2, *size, depth) for name, depth in CHANNELS.items()},
        )

    @parameterized.parameters("unet", "segnet", "plain", "pyramid")
    def test_sizes_unknown_while_tracing(self, backbone):
        predictor = make_predictor(backbone)
        traced = tf.function(
            predictor, input_signature=[tf.TensorSpec((None, None, None, 3))]
        )
        rng = np.random.default_rng(0)
        images = tf.constant(rng.normal(size=(1, 13, 21, 3)), "float32")
        expected = predictor(images)
        for name, prediction in traced(images).items():
            self.assertAllClose(prediction, expected[name], atol=1e-4)

    @parameterized.parameters(("unet", 4), ("segnet", 4), ("plain", 32))
    def test_images_are_padded_to_the_stride(self, backbone, stride):
        predictor = make_predictor(backbone)
        self.assertEqual(predictor.stride, stride)
        rng = np.random.default_rng(0)
        images = rng.normal(size=(1, 5, 7, 3)).astype("float32")
        height, width = -5 % stride, -7 % stride
        padded = np.pad(images, [(0, 0), (0, height), (0, width), (0, 0)])
        expected = predictor(padded)
        for name, prediction in predictor(images).items():
            self.assertAllClose(
                prediction, expected[name][:, :5, :7], atol=1e-5
            )

    @parameterized.parameters("unet", "segnet", "plain", "pyramid")
    def test_built_at_once(self, backbone):
        # So that weights can be loaded before the first call.
        predictor = make_predictor(backbone)
        count = len(predictor.weights)
        predictor(np.ones((1, 8, 8, 3), "float32"))
        self.assertLen(predictor.weights, count)
        for head in predictor.heads.values():
            self.assertLen(head.trainable_weights, 4)

    def test_each_task_activates_its_own_head(self):
        predictor = make_predictor("unet")
        rng = np.random.default_rng(0)
        images = rng.normal(size=(1, 8, 8, 3)).astype("float32")
        features = predictor.backbone(images)
        predictions = predictor(images)
        for task in predictor.tasks:
            expected = task.activate(predictor.heads[task.name](features))
            self.assertAllClose(predictions[task.name], expected, atol=1e-5)
        self.assertAllClose(
            np.linalg.norm(predictions["normals"], axis=-1), np.ones((1, 8, 8))
        )

    def test_heads_start_around_their_tasks_bias(self):
        # Of an image without any feature: depth at its mean.
        predictor = make_predictor("segnet")
        predictions = predictor(np.zeros((1, 5, 7, 3), "float32"))
        expected = {"segmentation": 0.0, "depth": 2.0, "normals": 0.0}
        for name, value in expected.items():
            self.assertAllClose(
                predictions[name], np.full((1, 5, 7, CHANNELS[name]), value)
            )

    @parameterized.parameters("unet", "segnet", "pyramid")
    def test_training_is_passed_on(self, backbone):
        predictor = make_predictor(backbone)
        images = np.random.default_rng(0).normal(size=(2, 8, 8, 3))
        norms = [
            layer
            for layer in predictor._flatten_layers()
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        predictor(images, training=False)
        for norm in norms:
            self.assertAllEqual(norm.moving_mean.numpy(), 0.0 * norm.gamma)
        predictor(images, training=True)
        for norm in norms:
            self.assertGreater(np.abs(norm.moving_mean.numpy()).max(), 0.0)

    def test_features_are_a_power_of_two_coarser(self):
        backbone = keras.Sequential(
            [keras.Input((None, None, 3)), keras.layers.Conv2D(4, 14, 14)]
        )
        backbone.stride = 14
        predictor = DensePredictor(backbone, [Depth(2.0, 1.0)], head_filters=4)
        images = np.random.default_rng(0).normal(size=(2, 28, 30, 3))
        _, features = predictor(images, return_features=True)
        padded = np.pad(images, [(0, 0), (0, 0), (0, 12), (0, 0)])
        patches = backbone(padded)
        self.assertEqual(features.shape, (2, 4, 6, 4))
        self.assertAllClose(features[:, 0, 0], patches[:, 0, 0], atol=1e-5)
        self.assertAllClose(features[:, 3, 5], patches[:, 1, 2], atol=1e-5)

    def test_config_round_trip(self):
        predictor = make_predictor("segnet")
        copy = DensePredictor.from_config(predictor.get_config())
        self.assertEqual(copy.head_filters, 6)
        self.assertEqual(copy.backbone.widths, (4, 6))
        self.assertEqual(
            [task.get_config() for task in copy.tasks],
            [task.get_config() for task in predictor.tasks],
        )
        copy.set_weights(predictor.get_weights())
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        for name, prediction in copy(images).items():
            self.assertAllClose(prediction, predictor(images)[name])

    @parameterized.parameters(
        (np.zeros((2, 8, 8, 3), "uint8"), "float images.*uint8. Divide by 255"),
        (np.zeros((8, 8, 3)), r"\(batch, height, width, 3\); got \(8, 8, 3\)"),
        (np.zeros((2, 3, 8, 8, 3)), r"shape \(batch, height.*got \(2, 3, 8, 8"),
        (np.zeros((2, 8, 8, 4)), r"shape \(batch, height.*got \(2, 8, 8, 4\)"),
        (np.zeros((2, 3, 8, 8)), r"shape \(batch, height.*got \(2, 3, 8, 8\)"),
    )
    def test_images_must_be_colours_in_floats(self, images, message):
        for call in (make_predictor("unet"), make_predictor("unet").predict):
            with self.assertRaisesRegex(
                ValueError, f"`images` must .*{message}"
            ):
                call(images)

    @parameterized.parameters(
        ([], r"`tasks` must be a list .* got \[\]"),
        ([Depth(1.0, 1.0), Depth(2.0, 1.0)], r"distinct.*\['depth', 'depth'\]"),
        ({"depth": Depth(1.0, 1.0)}, "`tasks` must be a list .*got {'depth'"),
        (Depth(1.0, 1.0), "`tasks` must be a list .*got <.*Depth object"),
        (["depth"], r"`tasks\[0\]` must be a task, such as.*got 'depth'"),
        ([Depth], r"`tasks\[0\]` must be a task, such as.*got <class"),
    )
    def test_tasks_must_be_a_list_of_distinct_ones(self, tasks, message):
        with self.assertRaisesRegex(ValueError, message):
            DensePredictor(UNet(widths=(4, 4)), tasks)

    def test_backbone_must_be_a_layer(self):
        with self.assertRaisesRegex(ValueError, "`backbone` must be a Keras"):
            DensePredictor("vgg", [Depth(1.0, 1.0)])


def make_predictor(name):
    backbone = {
        "unet": lambda: UNet(widths=(4, 6, 6)),
        "segnet": lambda: SegNet(widths=(4, 6), num_convs=(1, 1)),
        "plain": pyramid_backbone,
        "pyramid": pyramid_backbone,
    }[name]()
    if name == "pyramid":
        backbone.pyramid_level_inputs = {"P1": "first", "P3": "third"}
    tasks = [SemanticSegmentation(4), Depth(2.0, 1.0), SurfaceNormals()]
    return DensePredictor(backbone, tasks, head_filters=6)
