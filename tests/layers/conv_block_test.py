import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.layers import ConvBlock
from jtr_keras.layers.conv_block import make_normalization
from tests.testing import TestCase

INPUTS = np.random.default_rng(0).normal(3.0, 2.0, (2, 4, 5, 3))


class ConvBlockTest(TestCase):
    @parameterized.parameters(("batch", "relu", 2), ("instance", "linear", 0))
    # Keras's own check fits a generator with `shuffle` on.
    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
    def test_layer_basics(self, normalization, activation, num_averages):
        # Build, shapes, config round trip, one fit, mixed precision.
        self.run_layer_test(
            ConvBlock,
            init_kwargs={
                "filters": 4,
                "normalization": normalization,
                "activation": activation,
            },
            input_shape=(2, 8, 6, 3),
            expected_output_shape=(2, 8, 6, 4),
            expected_num_trainable_weights=4,
            expected_num_non_trainable_weights=num_averages,
        )

    @parameterized.parameters(("batch", 1.0), ("instance", 2.25))
    def test_values(self, normalization, variance):
        block = ConvBlock(1, normalization, activation="relu")
        block.build((None, 1, 2, 1))
        kernel = np.zeros((3, 3, 1, 1))
        kernel[1, 1] = 1.0
        block.conv.set_weights([kernel, np.array([-1.0])])
        outputs = block(tf.constant([0.0, 3.0], shape=(1, 1, 2, 1)))
        # After the convolution -1 and 2, of mean 0.5 and deviation 1.5.
        expected = 2.0 if normalization == "batch" else 1.5
        self.assertAllClose(
            outputs[0, 0, :, 0], [0.0, expected / np.sqrt(variance + 1e-5)]
        )

    @parameterized.parameters(("batch", (0, 1, 2)), ("instance", (1, 2)))
    def test_training_normalizes(self, normalization, axes):
        block = ConvBlock(4, normalization, activation="linear")
        rng = np.random.default_rng(0)
        inputs = rng.normal(size=(3, 6, 6, 3)) * [
            [[[1.0]]],
            [[[2.0]]],
            [[[9.0]]],
        ]
        outputs = block(inputs, training=True).numpy()
        mean, stddev = outputs.mean(axis=axes), outputs.std(axis=axes)
        self.assertAllClose(mean, np.zeros_like(mean), atol=1e-5)
        self.assertAllClose(stddev, np.ones_like(stddev), atol=1e-3)

    def test_averages_move_as_in_pytorch(self):
        # A tenth of the way in each step, not Keras's hundredth.
        block = ConvBlock(1)
        block.build((None, None, None, 1))
        block.conv.set_weights([np.zeros((3, 3, 1, 1)), np.array([5.0])])
        block(np.ones((2, 4, 4, 1)), training=True)
        self.assertAllClose(block.norm.moving_mean.numpy(), [0.5])

    def test_kernels_are_pytorchs_xavier(self):
        # A truncated normal would have no value beyond 2.3 deviations.
        block = ConvBlock(64)
        block.build((None, None, None, 64))
        kernel = block.conv.kernel.numpy()
        stddev = np.sqrt(2.0 / (9 * 64 + 9 * 64))
        self.assertAllClose(kernel.std(), stddev, rtol=0.02)
        self.assertGreater(np.abs(kernel).max(), 3.0 * stddev)

    def test_unknown_normalization(self):
        with self.assertRaisesRegex(ValueError, "batch.*instance.*got 'layer'"):
            ConvBlock(4, normalization="layer")


class NormalizationTest(TestCase):
    def test_batch_takes_statistics_over_the_batch(self):
        outputs = make_normalization("batch")(INPUTS, training=True)
        variance = INPUTS.var(axis=(0, 1, 2)) + 1e-5
        expected = (INPUTS - INPUTS.mean(axis=(0, 1, 2))) / np.sqrt(variance)
        self.assertAllClose(outputs, expected, atol=1e-5)

    def test_instance_takes_them_over_each_image(self):
        outputs = make_normalization("instance")(INPUTS)
        mean = INPUTS.mean(axis=(1, 2), keepdims=True)
        variance = INPUTS.var(axis=(1, 2), keepdims=True) + 1e-5
        expected = (INPUTS - mean) / np.sqrt(variance)
        self.assertAllClose(outputs, expected, atol=1e-5)

    def test_epsilon_and_momentum_are_pytorchs(self):
        # Keras's 1e-3 would show only in maps of tiny variance.
        tiny = 1e-3 * INPUTS
        outputs = make_normalization("batch")(tiny, training=True)
        variance = tiny.var(axis=(0, 1, 2))
        self.assertAllClose(
            np.var(outputs, axis=(0, 1, 2)),
            variance / (variance + 1e-5),
            rtol=1e-3,
        )
        self.assertEqual(make_normalization("batch").momentum, 0.9)

    def test_arguments_are_passed_on(self):
        for name in ("batch", "instance"):
            layer = make_normalization(name, dtype="mixed_float16")
            self.assertEqual(layer.compute_dtype, "float16")
