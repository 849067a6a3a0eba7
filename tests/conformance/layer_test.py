"""Laws that every layer and backbone obeys; a new one adds a row to `LAYERS`.

`IndexedUnpooling` and `SegNetDecoder` take what their counterpart returns.
"""

import inspect

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import layers, models
from jtr_keras.tasks import Depth
from tests.testing import TestCase

IMAGES = (2, 8, 12, 3)
LEVELS = {"widths": (4, 6), "num_convs": (1, 2)}
NORMALIZED = LEVELS | {"normalization": "instance"}
MASKS = [(2, 4, 2, 6, 2, 4), (2, 2, 2, 3, 2, 6)]
HEAD = {"filters": 5, "channels": 2, "initial_bias": 3.0}
FILM = {"num_conditions": 4, "learning_rate": 2.0}
BLOCK = {"filters": 5, "normalization": "instance", "activation": "tanh"}

LAYERS = (  # class, arguments unlike the defaults, shapes, float32 output
    (layers.ConvBlock, BLOCK, [IMAGES], False),
    (layers.DenseHead, HEAD, [IMAGES], True),
    (layers.FiLM, FILM, [IMAGES, (2, 4)], False),
    (layers.IndexedPooling, {}, [IMAGES], False),
    (layers.IndexedUnpooling, {}, [(2, 4, 6, 4), MASKS[0]], False),
    (layers.PyramidFusion, {"filters": 5}, [[IMAGES, (2, 3, 5, 4)]], False),
    (layers.SegNetDecoder, NORMALIZED, [(2, 2, 3, 6), MASKS], False),
    (layers.SegNetEncoder, NORMALIZED, [IMAGES], False),
    (models.SegNet, LEVELS, [IMAGES], False),
    (models.UNet, {"widths": (4, 6), "stem_strides": 2}, [IMAGES], False),
)
NAMED = [(row[0].__name__, *row) for row in LAYERS]


class LayerConformanceTest(TestCase):
    @parameterized.named_parameters(*NAMED)
    def test_constructor(self, cls, arguments, shapes, full):
        self.run_constructor_test(cls, arguments)
        layer = self.run_class_serialization_test(
            cls(**arguments, name="other", dtype="mixed_float16")
        )
        self.assertEqual(layer.name, "other")
        self.assertEqual(layer.compute_dtype, "float16")
        for name, value in arguments.items():
            self.assertEqual(getattr(layer, name), value)

    @parameterized.named_parameters(*NAMED)
    def test_every_argument_is_in_the_table(self, cls, arguments, shapes, full):
        init = vars(cls).get("__init__", lambda: None)
        parameters = inspect.signature(init).parameters
        named = set(parameters) - {"self", "kwargs"}
        self.assertEqual(named, set(arguments))
        for name, value in arguments.items():
            self.assertNotEqual(value, parameters[name].default)

    @parameterized.named_parameters(*NAMED)
    def test_shapes_are_as_computed(self, cls, arguments, shapes, full):
        layer = cls(**arguments)
        outputs = layer(*data(shapes))
        self.assertEqual(
            keras.tree.flatten(shapes_of(outputs)),
            keras.tree.flatten(layer.compute_output_shape(*shapes)),
        )

    @parameterized.named_parameters(*NAMED)
    def test_jit_compiles(self, cls, arguments, shapes, full):
        layer = cls(**arguments)
        inputs = data(shapes)
        expected = keras.tree.flatten(layer(*inputs))
        compiled = tf.function(layer, jit_compile=True)(*inputs)
        for a, b in zip(keras.tree.flatten(compiled), expected, strict=True):
            self.assertAllClose(a, b, atol=1e-4)

    @parameterized.named_parameters(*NAMED)
    def test_gradients_reach_every_weight(self, cls, arguments, shapes, full):
        layer = cls(**arguments)
        inputs = data(shapes)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = keras.tree.flatten(layer(*inputs, **training(layer)))
            total = tf.add_n([tf.reduce_sum(x**2) for x in outputs])
        weights = [v.value for v in layer.trainable_variables]
        for gradient in tape.gradient(total, [inputs[0], *weights]):
            for part in keras.tree.flatten(gradient):
                self.assertTrue(np.isfinite(part).all())

    @parameterized.named_parameters(*NAMED)
    def test_mixed_precision(self, cls, arguments, shapes, full):
        layer = cls(**arguments, dtype="mixed_float16")
        for output in keras.tree.flatten(layer(*data(shapes))):
            self.assertDType(output, "float32" if full else "float16")
        for weight in layer.weights:
            self.assertDType(weight, "float32")

    @parameterized.named_parameters(*NAMED)
    def test_saved_weights_come_back(self, cls, arguments, shapes, full):
        # Keras saves no layer in a list of lists.
        inputs = data(shapes)
        layer, other = cls(**arguments), cls(**arguments)
        expected = keras.tree.flatten(layer(*inputs))
        other(*inputs)
        path = f"{self.get_temp_dir()}/{cls.__name__}.weights.h5"
        Holder(layer).save_weights(path)
        Holder(other).load_weights(path)
        for a, b in zip(
            keras.tree.flatten(other(*inputs)), expected, strict=True
        ):
            self.assertAllClose(a, b)


class DensePredictorPrecisionTest(TestCase):
    @parameterized.parameters("mixed_float16", "mixed_bfloat16", "float32")
    def test_predictions_are_float32(self, policy):
        predictor = models.DensePredictor(
            models.UNet(widths=(4, 6), dtype=policy),
            [Depth(2.0, 1.0)],
            dtype=policy,
        )
        predictions = predictor(np.ones((1, 5, 7, 3), "float32"))
        self.assertDType(predictions["depth"], "float32")


class CoverageTest(TestCase):
    def test_every_public_layer_is_listed(self):
        public = {
            value
            for module in (layers, models)
            for value in vars(module).values()
            if inspect.isclass(value)
        }
        # Their tests are in tests/models/.
        public -= {models.DensePredictor, models.Outputs, models.Pyramid}
        self.assertEqual(public, {row[0] for row in LAYERS})
        self.assertLessEqual(set(models.BACKBONES.values()), public)

    def test_every_class_is_registered(self):
        others = (models.DensePredictor, models.Pyramid)
        for cls in (*others, *(row[0] for row in LAYERS)):
            self.assertEqual(
                keras.saving.get_registered_name(cls),
                f"jtr_keras>{cls.__name__}",
            )


class Holder(keras.Model):
    """A model of one layer, since layers alone cannot be saved."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.built = True


def data(shapes):
    rng = np.random.default_rng(0)
    return keras.tree.map_shape_structure(
        lambda shape: tf.constant(rng.normal(size=shape), "float32"), shapes
    )


def shapes_of(outputs):
    return keras.tree.map_structure(lambda x: tuple(x.shape), outputs)


def training(layer):
    named = inspect.signature(layer.call).parameters
    return {"training": True} if "training" in named else {}
