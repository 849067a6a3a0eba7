import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.interaction import Features, Interaction
from jtr_keras.models import DensePredictor, SegNet, UNet
from jtr_keras.tasks import Depth, SemanticSegmentation, SurfaceNormals
from tests.models.backbones import Patches, pyramid_backbone
from tests.testing import TestCase

CHANNELS = {"segmentation": 4, "depth": 1, "normals": 3}
BACKBONES = ("unet", "segnet", "plain", "pyramid", "tokens")
TASKS = [SemanticSegmentation(4), Depth(2.0, 1.0), SurfaceNormals()]


class DensePredictorTest(TestCase):
    @parameterized.product(
        size=((16, 16), (13, 21), (1, 1)), backbone=BACKBONES
    )
    def test_predictions_have_the_size_of_images(self, size, backbone):
        predictor = shared(backbone)
        predictions = predictor(np.ones((2, *size, 3), "float32"))
        self.assertEqual(
            {name: tuple(p.shape) for name, p in predictions.items()},
            {name: (2, *size, depth) for name, depth in CHANNELS.items()},
        )

    @parameterized.parameters(*BACKBONES)
    def test_sizes_unknown_while_tracing(self, backbone):
        predictor = shared(backbone)
        traced = tf.function(
            predictor, input_signature=[tf.TensorSpec((None, None, None, 3))]
        )
        rng = np.random.default_rng(0)
        images = tf.constant(rng.normal(size=(1, 13, 21, 3)), "float32")
        expected = predictor(images)
        for name, prediction in traced(images).items():
            self.assertAllClose(prediction, expected[name], atol=1e-4)

    @parameterized.parameters(("unet", 4), ("segnet", 4), ("plain", 32))
    def test_images_are_padded_to_the_divisor(self, backbone, divisor):
        predictor = shared(backbone)
        self.assertEqual(predictor.size_divisor, divisor)
        rng = np.random.default_rng(0)
        images = rng.normal(size=(1, 5, 7, 3)).astype("float32")
        height, width = -5 % divisor, -7 % divisor
        padded = np.pad(images, [(0, 0), (0, height), (0, width), (0, 0)])
        expected = predictor(padded)
        for name, prediction in predictor(images).items():
            self.assertAllClose(
                prediction, expected[name][:, :5, :7], atol=1e-5
            )

    @parameterized.parameters(*BACKBONES)
    def test_built_at_once(self, backbone):
        # So that weights can be loaded before the first call.
        predictor = make_predictor(backbone)
        count = len(predictor.weights)
        predictor(np.ones((1, 8, 8, 3), "float32"))
        self.assertLen(predictor.weights, count)
        for head in predictor.heads.values():
            self.assertLen(head.trainable_weights, 4)

    def test_each_task_activates_its_own_head(self):
        predictor = shared("unet")
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
        backbone.size_divisor = 14
        predictor = DensePredictor(backbone, [Depth(2.0, 1.0)], head_filters=4)
        images = np.random.default_rng(0).normal(size=(2, 28, 30, 3))
        features = predictor.outputs(images).features
        padded = np.pad(images, [(0, 0), (0, 0), (0, 12), (0, 0)])
        patches = backbone(padded)
        self.assertEqual(features.shape, (2, 4, 6, 4))
        self.assertAllClose(features[:, 0, 0], patches[:, 0, 0], atol=1e-5)
        self.assertAllClose(features[:, 3, 5], patches[:, 1, 2], atol=1e-5)

    def test_outputs_are_those_of_a_call_and_more(self):
        predictor = shared("pyramid")
        images = np.random.default_rng(0).normal(size=(2, 13, 30, 3))
        outputs = predictor.outputs(images, training=False)
        predictions = predictor(images, training=False)
        self.assertEqual(set(outputs.predictions), set(predictions))
        for name, prediction in predictions.items():
            self.assertAllClose(outputs.predictions[name], prediction)
        padded = np.pad(images, [(0, 0), (0, 19), (0, 2), (0, 0)])
        maps = predictor.pyramid(padded)
        fused = predictor.interaction(maps, training=False).shared
        self.assertAllClose(outputs.features, fused)
        self.assertEqual(predictor.feature_channels, fused.shape[-1])
        self.assertEqual(outputs.auxiliary, {})

    def test_a_frozen_backbone(self):
        backbone = UNet(widths=(4, 6))
        backbone.trainable = False
        predictor = DensePredictor(backbone, TASKS, head_filters=6)
        self.assertLen(predictor.trainable_weights, 3 * 4)
        self.assertIs(predictor.backbone, backbone)
        backbone.trainable = True
        self.assertLen(predictor.trainable_weights, 3 * 4 + 6 * 4)

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

    @parameterized.parameters("unet", "plain", "tokens")
    def test_saved_and_loaded(self, backbone):
        predictor = make_predictor(backbone)
        images = np.random.default_rng(0).normal(size=(1, 13, 16, 3))
        predictor(images, training=True)  # Moves the statistics.
        path = f"{self.get_temp_dir()}/model.keras"
        predictor.save(path)
        copy = keras.saving.load_model(path)
        expected = predictor(images, training=False)
        for name, prediction in copy(images, training=False).items():
            self.assertAllClose(prediction, expected[name])

    @parameterized.parameters(
        (np.zeros((2, 8, 8, 3), "uint8"), "float images.*uint8. Divide by 255"),
        (np.zeros((8, 8, 3)), r"\(batch, height, width, 3\); got \(8, 8, 3\)"),
        (np.zeros((2, 3, 8, 8, 3)), r"shape \(batch, height.*got \(2, 3, 8, 8"),
        (np.zeros((2, 8, 8, 4)), r"shape \(batch, height.*got \(2, 8, 8, 4\)"),
        (np.zeros((2, 3, 8, 8)), r"shape \(batch, height.*got \(2, 3, 8, 8\)"),
    )
    def test_images_must_be_colours_in_floats(self, images, message):
        for call in (shared("unet"), shared("unet").predict):
            with self.assertRaisesRegex(
                ValueError, f"`images` must .*{message}"
            ):
                call(images)

    @parameterized.parameters(
        ([], r"`tasks` must be a list .* got \[\]"),
        ([Depth(1.0, 1.0), Depth(2.0, 1.0)], r"distinct.*\['depth', 'depth'\]"),
        ({"depth": Depth(1.0, 1.0)}, "`tasks` must be a list .*got {'depth'"),
        (Depth(1.0, 1.0), r"`tasks` must be a list .*got Depth\(mean=1.0"),
        (["depth"], r"`tasks\[0\]` must be a task, such as.*got 'depth'"),
        ([Depth], r"`tasks\[0\]` must be a task, such as.*got <class"),
    )
    def test_tasks_must_be_a_list_of_distinct_ones(self, tasks, message):
        with self.assertRaisesRegex(ValueError, message):
            DensePredictor(UNet(widths=(4, 4)), tasks)

    def test_backbone_must_be_a_layer(self):
        with self.assertRaisesRegex(ValueError, "`backbone` must be a Keras"):
            DensePredictor("vgg", [Depth(1.0, 1.0)])

    def test_interaction_must_be_one(self):
        with self.assertRaisesRegex(
            ValueError, "`interaction` must be .*SharedFeatures.*got 'none'"
        ):
            DensePredictor(UNet((4, 4)), TASKS, interaction="none")


@keras.saving.register_keras_serializable(package="tests")
def make_head(task):
    """Forgets half of the features in training."""
    head = [keras.layers.Dropout(0.5), keras.layers.Conv2D(task.channels, 1)]
    return keras.Sequential(head)


class HeadsTest(TestCase):
    def test_replaced_heads_are_saved(self):
        predictor = DensePredictor(UNet((4, 6)), TASKS, make_head=make_head)
        self.assertLen(predictor.heads["depth"].trainable_weights, 2)
        path = f"{self.get_temp_dir()}/model.keras"
        predictor.save(path)
        copy = keras.saving.load_model(path)
        self.assertIs(copy.make_head, make_head)
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        expected = predictor(images)
        for name, prediction in copy(images).items():
            self.assertAllClose(prediction, expected[name])

    def test_heads_are_told_that_it_is_training(self):
        predictor = DensePredictor(UNet((4, 6)), TASKS, make_head=make_head)
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        once, twice = (
            predictor.outputs(images, training=True).predictions["depth"]
            for _ in range(2)
        )
        self.assertNotAllClose(once, twice)

    @parameterized.parameters(
        (
            lambda task: keras.layers.Conv2D(2, 1),
            "`make_head` must make logits of .*'depth': 1.*got .*'depth': 2",
        ),
        (
            lambda task: task.channels,
            r"`make_head` must be a function that returns a new Keras layer "
            r"for SemanticSegmentation\(num_classes=4.*got 4",
        ),
    )
    def test_heads_of_another_kind(self, make_head, message):
        with self.assertRaisesRegex(ValueError, message):
            DensePredictor(UNet((4, 6)), TASKS, make_head=make_head)


class Returning(Interaction):
    """Returns what a test says."""

    def __init__(self, returned, auxiliary_weights):
        super().__init__()
        self.returned = returned
        self.auxiliary_weights = auxiliary_weights

    def call(self, inputs, training=None):
        return self.returned(inputs[0], {t.name: t for t in self.tasks})


class InteractionResultsTest(TestCase):
    @parameterized.parameters(
        (
            lambda x, tasks: Features({"depth": x}, x),
            {},
            "`Returning.call` must return features of the tasks "
            r"\['segmentation', 'depth', 'normals'\]; got \['depth'\]",
        ),
        (
            lambda x, tasks: Features(dict.fromkeys(tasks, x), x),
            {"initial": 0.5},
            r"auxiliary logits .* \['initial'\].*; got \[\]",
        ),
        (
            lambda x, tasks: Features(
                dict.fromkeys(tasks, x), x, {"initial": dict.fromkeys(tasks, x)}
            ),
            {"initial": 0.5},
            r"auxiliary\['initial'\]` must make logits of .*'normals': 3",
        ),
    )
    def test_what_is_missing_is_named(self, returned, weights, message):
        with self.assertRaisesRegex(ValueError, message):
            DensePredictor(
                UNet((4, 6)), TASKS, interaction=Returning(returned, weights)
            )


@functools.cache
def shared(name):
    """A predictor that no test changes."""
    return make_predictor(name)


def make_predictor(name):
    keras.utils.set_random_seed(0)
    backbone = {
        "unet": lambda: UNet(widths=(4, 6, 6)),
        "segnet": lambda: SegNet(widths=(4, 6), num_convs=(1, 1)),
        "plain": pyramid_backbone,
        "pyramid": pyramid_backbone,
        "tokens": lambda: Patches(prefix=1),
    }[name]()
    if name == "pyramid":
        backbone.pyramid_level_inputs = {"P1": "first", "P3": "third"}
    return DensePredictor(backbone, TASKS, head_filters=6)
