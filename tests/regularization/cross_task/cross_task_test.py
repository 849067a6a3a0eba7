import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import cosine_distance
from jtr_keras.regularization import CrossTaskConsistency
from jtr_keras.regularization.cross_task.task_pairs import (
    relative_predictions,
    relative_targets,
)
from jtr_keras.tasks import (
    DenseRegression,
    Depth,
    SemanticSegmentation,
    SurfaceNormals,
)
from tests import toy
from tests.testing import TestCase

SIZES = {"widths": (4, 6), "num_convs": (2, 1)}
PAIRS = [(s, t) for s in range(4) for t in range(4) if s != t]


def bound(**options):
    """The regularization of the toy tasks, with weights that say something."""
    keras.utils.set_random_seed(0)
    layer = CrossTaskConsistency(**(SIZES | {"seed": 1} | options))
    layer.bind(toy.make_tasks(), toy.FEATURES)
    rng = np.random.default_rng(3)
    for film in layer.mapping.films:
        for weight in film.weights:
            weight.assign(rng.normal(1.0, 0.3, weight.shape))
    return layer


def make_noise(samples=1):
    rng = np.random.default_rng(4)
    noise = rng.gumbel(size=(3, samples, *toy.SIZE, 3))
    return {"segmentation": tf.constant(noise, "float32")}


def make_inputs(labels=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1)), samples=1):
    _, y_true, labelled = toy.make_batch(labels)
    features = toy.make_inputs(bound())["features"]
    return (
        y_true,
        toy.make_predictions(),
        labelled,
        features,
        make_noise(samples),
    )


def by_hand(layer, inputs, image, source, target, sample=0):
    """The loss of one pair of one image, alone."""
    y_true, y_pred, _, features, noise = tf.nest.map_structure(
        lambda x: x[image : image + 1], inputs
    )

    def mapped(task, code):
        index = layer.tasks.index(task)
        pair = tf.one_hot([PAIRS.index((source, target))], len(PAIRS))
        return layer.mapping(layer.embeddings[index](code), pair)

    task = layer.tasks[source]
    own = noise.get(task.name)
    own = None if own is None else own[:, sample]
    code = relative_predictions(task.codec, y_pred[task.name][:, 1], own)
    first = mapped(task, code)
    task = layer.tasks[target]
    code = relative_targets(task.codec, task, y_true[task.name][:, 1])
    second = mapped(task, code)
    frozen = layer.frozen_features(
        features[:, 1], image_size=toy.SIZE, stride=layer.stride
    )
    tie = cosine_distance(first, frozen) + cosine_distance(second, frozen)
    return float(cosine_distance(first, second)[0] + 0.5 * tie[0])


class CrossTaskConsistencyTest(TestCase):
    def test_value_by_hand(self):
        # Without convolutions, what the pair says is all that there is.
        layer = CrossTaskConsistency(widths=(2,), num_convs=(1,))
        tasks = [Depth(2.0, 1.0), SurfaceNormals()]
        layer.bind(tasks, feature_channels=2)
        (block,), (film,) = layer.mapping.blocks, layer.mapping.films
        block.conv.kernel.assign(tf.zeros_like(block.conv.kernel))
        block.norm.beta.assign([1.0, 1.0])
        film.gamma.assign([[3.0, 0.0], [0.0, 2.0]])
        y_true = {"depth": tf.ones((3, 2, 4, 4, 1))}
        y_true["normals"] = tf.ones((3, 2, 4, 4, 3))
        labelled = {
            "depth": tf.constant([0.0, 1.0, 1.0]),
            "normals": tf.constant([1.0, 0.0, 1.0]),
        }
        features = tf.tile([[[[[1.0, 0.0]]]]], (3, 2, 2, 2, 1))
        inputs = (y_true, y_true, labelled, features)
        # Depth to normals has the features' direction, the other pair none.
        found = layer.per_image(*inputs)["cross_task"]
        self.assertAllClose(found, [0.0, 0.5 * (1.0 + 1.0), 0.0])
        self.assertAllClose(
            layer(*inputs[:3], features=features)["cross_task"], 1.0 / 3.0
        )

    def test_equals_a_loop_over_images_and_pairs(self):
        layer, inputs = bound(), make_inputs()
        found = layer.per_image(*inputs)["cross_task"]
        active = (
            ((1, 0), (2, 0), (3, 0)),
            ((0, 1), (2, 1), (3, 1)),
            ((0, 2), (0, 3), (1, 2), (1, 3)),
        )
        expected = [
            sum(by_hand(layer, inputs, image, *pair) for pair in pairs)
            for image, pairs in enumerate(active)
        ]
        self.assertGreater(min(expected), 0.5)
        self.assertAllClose(found, expected, rtol=1e-4)

    def test_features_of_an_image_padded_otherwise(self):
        # Of 12 rows the mapping makes 3; the network pads them to 16, thus 4.
        layer, (*inputs, features, noise) = bound(), make_inputs()
        *inputs, noise = tf.nest.map_structure(
            lambda x: x[:, :, :12] if x.shape.rank == 5 else x,
            (*inputs, noise),
        )
        features = features[:, :, ::4, ::4]
        found, expected = (
            layer.per_image(*inputs, some, noise)["cross_task"]
            for some in (features, features[:, :, :3])
        )
        self.assertAllClose(found, expected, rtol=1e-5)

    def test_a_sample_for_each_pair(self):
        # The third image compares segmentation with two other tasks' labels.
        layer, inputs = bound(), make_inputs(samples=3)
        found = layer.per_image(*inputs)["cross_task"][2]
        pairs = ((0, 2, 1), (0, 3, 2), (1, 2), (1, 3))
        expected = [by_hand(layer, inputs, 2, *pair) for pair in pairs]
        self.assertAllClose(found, sum(expected), rtol=1e-4)
        other = by_hand(layer, inputs, 2, 0, 2, sample=0)
        self.assertNotAllClose(other, expected[0], rtol=1e-4)

    def test_weights_of_labels_weigh_pairs(self):
        layer = bound()
        whole = make_inputs(((1, 0, 0, 0),) * 3)
        half = (*whole[:2], {k: v / 2 for k, v in whole[2].items()}, *whole[3:])
        self.assertAllClose(
            layer.per_image(*half)["cross_task"],
            layer.per_image(*whole)["cross_task"] / 2,
        )

    def test_who_learns(self):
        layer, (y_true, y_pred, labelled, features, noise) = (
            bound(),
            make_inputs(),
        )
        weights = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch((y_pred, features))
            losses = layer(
                y_true, y_pred, labelled, features=features, noise=noise
            )
        network, frozen, mapping = tape.gradient(
            losses["cross_task"], (y_pred, features, weights)
        )
        self.assertIsNone(frozen)
        for name, weight in labelled.items():
            for image, label in enumerate(weight):
                first, second, third = (
                    np.abs(network[name][image, v]).sum() for v in range(3)
                )
                self.assertEqual((first, third), (0.0, 0.0))
                self.assertEqual(second > 0.0, label == 0.0)
        self.assertTrue(all(np.abs(g).sum() > 0 for g in mapping))

    def test_only_active_pairs_learn_their_scales(self):
        layer, inputs = bound(), make_inputs(((0, 1, 0, 0), (0, 1, 0, 0)))
        inputs = tf.nest.map_structure(lambda x: x[:2], inputs)
        gamma = layer.mapping.films[0].gamma.value
        with tf.GradientTape() as tape:
            losses = layer.per_image(*inputs)["cross_task"]
        gradient = np.abs(tape.gradient(losses, gamma)).sum(axis=1)
        active = [PAIRS[i] for i in np.flatnonzero(gradient)]
        self.assertEqual(active, [(0, 1), (2, 1), (3, 1)])

    def test_no_image_sees_another(self):
        layer, inputs = bound(), make_inputs()
        order = [2, 0, 1]
        shuffled = tf.nest.map_structure(lambda x: tf.gather(x, order), inputs)
        self.assertAllClose(
            layer.per_image(*shuffled)["cross_task"],
            tf.gather(layer.per_image(*inputs)["cross_task"], order),
            rtol=1e-4,
        )

    @parameterized.parameters(0, 1)
    def test_no_pair_is_no_loss_and_no_gradient(self, label):
        layer, inputs = bound(), make_inputs(((label,) * 4,) * 3)
        weights = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(inputs[1])
            losses = layer.per_image(*inputs)["cross_task"]
        self.assertAllEqual(losses, [0.0] * 3)
        for gradient in tf.nest.flatten(
            tape.gradient(losses, (inputs[1], weights))
        ):
            self.assertAllEqual(gradient, tf.zeros_like(gradient))

    def test_enough_pairs_are_all_pairs(self):
        inputs = make_inputs(((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)))
        self.assertAllClose(
            bound(max_pairs=3).per_image(*inputs)["cross_task"],
            bound().per_image(*inputs)["cross_task"],
            rtol=1e-4,
        )

    def test_few_pairs_are_as_many_on_average(self):
        inputs = make_inputs()
        expected = bound().per_image(*inputs)["cross_task"]
        layer = bound(max_pairs=1)
        found = [layer.per_image(*inputs)["cross_task"] for _ in range(60)]
        self.assertGreater(np.std(found, axis=0).min(), 0.0)
        self.assertAllClose(np.mean(found, axis=0), expected, rtol=0.1)

    @parameterized.parameters(
        (13, [SurfaceNormals()], 14_819_328), (7, [], 14_780_160)
    )
    def test_reference_sizes(self, num_classes, others, num_parameters):
        layer = CrossTaskConsistency(
            widths=(64, 128, 256, 512, 512), num_convs=(2, 2, 3, 3, 3)
        )
        tasks = [SemanticSegmentation(num_classes), Depth(2.0, 1.0), *others]
        layer.bind(tasks, feature_channels=512)
        self.assertEqual(layer.count_params(), num_parameters)

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`max_pairs` must be"):
            CrossTaskConsistency(max_pairs=0)
        with self.assertRaisesRegex(ValueError, "at least two tasks"):
            CrossTaskConsistency().bind([DenseRegression("edges")])
