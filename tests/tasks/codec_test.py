import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.tasks import (
    Categorical,
    NormalQuantile,
    Quantization,
    UnitInterval,
    UnitVector,
)
from tests.testing import TestCase


class CategoricalTest(TestCase):
    def test_codes(self):
        codec = Categorical(3)
        logits = column(np.log([1.0, 2.0, 5.0]))
        code = codec.encode(tf.constant(2, shape=(1, 1, 1, 1)))
        self.assertAllClose(code, column([0.0, 0.0, 1.0]))
        code = codec.encode_predictions(logits)
        self.assertAllClose(code, column([1 / 8, 2 / 8, 5 / 8]))
        self.assertEqual((codec.empty, codec.bounds), (0.0, None))

    def test_samples_are_hard_with_the_gradient_of_the_soft_ones(self):
        codec = Categorical(4)
        self.assertTrue(codec.sampled)
        rng = np.random.default_rng(0)
        shape = (2, 3, 4, 4)
        logits, noise, weight = (
            tf.constant(rng.normal(size=shape), "float32") for _ in range(3)
        )
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            sample = codec.encode_predictions(logits, noise)
            soft = tf.nn.softmax(logits + noise)
            weighted = sample * weight, soft * weight
        self.assertAllEqual(
            np.argmax(sample, axis=-1), np.argmax(logits + noise, axis=-1)
        )
        # The sum of hard - soft and soft rounds; 0 must stay 0.
        self.assertAllEqual(
            np.count_nonzero(sample, axis=-1), np.ones((2, 3, 4))
        )
        self.assertAllClose(np.max(sample, axis=-1), np.ones((2, 3, 4)))
        gradients = [tape.gradient(w, logits) for w in weighted]
        self.assertAllClose(gradients[0], gradients[1])
        self.assertGreater(np.abs(gradients[1]).max(), 0.01)

    def test_metrics_compare_logits_and_targets_are_their_largest(self):
        codec = Categorical(3)
        logits = column([0.1, -3.0, 0.2], [-1.0, -0.5, -2.0])
        self.assertAllEqual(codec.values(logits), logits)
        self.assertAllEqual(codec.to_targets(logits)[0, :, 0], [[2], [1]])

    def test_distance_is_the_sum_of_squares(self):
        # A code with evidence may be no probabilities.
        distance = Categorical(3).distance(
            column([0.25, 0.0, 0.75]), column([0.5, -0.1, 1.0])
        )
        self.assertAllClose(distance, [[[[0.135]]]])

    def test_error_is_the_cross_entropy_over_that_of_a_guess(self):
        codec = Categorical(3)
        logits = column(np.log([1.0, 2.0, 5.0]))
        code = column([0.25, 0.0, 0.75])
        expected = -0.25 * np.log(1 / 8) - 0.75 * np.log(5 / 8)
        found = codec.prediction_error(code, logits)
        self.assertAllClose(found, [[[[expected / np.log(3)]]]])
        found = codec.prediction_error(code, 0.0 * logits)
        self.assertAllClose(found, [[[[1.0]]]])

    def test_small_integers_are_classes(self):
        codec = Categorical(3)
        integers = codec.quantize(column([0.1, -3.0, 0.2], [-1.0, -0.5, -2.0]))
        self.assertEqual(integers.dtype, "uint8")
        self.assertAllEqual(integers[0, :, 0], [[2], [1]])
        self.assertAllEqual(codec.quantization.dequantize([2, 1]), [2.0, 1.0])

    @parameterized.parameters((256, "uint8"), (257, "uint16"))
    def test_many_classes_need_two_bytes(self, num_classes, dtype):
        largest = np.eye(num_classes)[None, None, [num_classes - 1]]
        integers = Categorical(num_classes).quantize(largest)
        self.assertEqual(integers.dtype, dtype)
        self.assertAllEqual(integers, [[[[num_classes - 1]]]])


class UnitIntervalTest(TestCase):
    @parameterized.parameters((-1, 0.0), (0, 0.25), (3, 1.0), (4, 1), (-2, 0))
    def test_code_is_the_place_in_the_range(self, value, expected):
        codec = UnitInterval(minimum=-1.0, maximum=3.0)
        self.assertAllClose(codec.encode(column([value])), column([expected]))
        code = codec.encode_predictions(column([value]))
        self.assertAllClose(code, column([expected]))
        self.assertEqual((codec.empty, codec.bounds), (0.0, (-1.0, 3.0)))

    def test_predictions_are_values(self):
        codec = UnitInterval(minimum=-1.0, maximum=3.0)
        predictions = column([-0.5], [2.0])
        self.assertAllEqual(codec.values(predictions), predictions)
        self.assertAllEqual(codec.to_targets(predictions), predictions)
        self.assertEqual(codec.prediction_bounds, (-1.0, 3.0))

    def test_predictions_may_be_logits(self):
        codec = UnitInterval(minimum=-1.0, maximum=3.0, from_logits=True)
        logits = column([np.log(3.0)], [0.0], [-50.0])
        values = column([2.0], [1.0], [-1.0])
        code = codec.encode_predictions(logits)
        self.assertAllClose(code, column([0.75], [0.5], [0.0]))
        self.assertAllClose(codec.values(logits), values)
        self.assertAllClose(codec.to_targets(logits), values)
        # Of 255 steps, 191.25, 127.5 and none.
        integers = np.ravel(codec.quantize(logits))
        self.assertIn(integers[1], (127, 128))
        self.assertAllEqual(integers[[0, 2]], [191, 0])
        self.assertIsNone(codec.prediction_bounds)
        # Targets are no logits.
        self.assertEqual(codec.bounds, (-1.0, 3.0))
        self.assertAllClose(codec.encode(values), code)
        error = codec.prediction_error(column([0.5], [0.5], [0.5]), logits)
        self.assertAllClose(error[0, :, 0, 0], [0.25, 0.0, 1.0])

    def test_distance_is_the_sum_of_squares_of_a_range_of_2(self):
        codec = UnitInterval(channels=2)
        distance = codec.distance(column([0.25, 0.5]), column([0.5, 0.0]))
        self.assertAllClose(distance, [[[[4.0 * (0.0625 + 0.25)]]]])

    def test_small_integers_are_places_in_the_range(self):
        codec = UnitInterval(minimum=-1.0, maximum=3.0)
        integers = codec.quantize(column([-1.0], [-0.2], [3.0]))
        self.assertEqual(integers.dtype, "uint8")
        self.assertAllEqual(np.ravel(integers), [0, 51, 255])
        found = codec.quantization.dequantize(np.array([0, 51, 255]))
        self.assertAllClose(found, [-1.0, -0.2, 3.0])

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "`channels` must be >= 1"):
            UnitInterval(channels=0)
        for maximum in (0.0, -1.0, float("nan")):
            with self.assertRaisesRegex(ValueError, "less than `maximum`"):
                UnitInterval(maximum=maximum)


class NormalQuantileTest(TestCase):
    @parameterized.parameters(
        (0.0, 0.068421), (1.0, 0.195509), (2.3618, 0.5), (5.0, 0.951719)
    )
    def test_code_is_the_quantile_of_a_normal_law(self, value, quantile):
        codec = NormalQuantile(mean=2.3618, stddev=1.5876)
        for code in (
            codec.encode(column([value])),
            codec.encode_predictions(column([value])),
        ):
            self.assertAllClose(code, column([quantile]), atol=1e-6)
        self.assertAllClose(codec.empty, 0.068421, atol=1e-6)
        self.assertIsNone(codec.bounds)

    def test_distance_is_that_of_a_range_of_2(self):
        codec = NormalQuantile(mean=2.0, stddev=1.0)
        distance = codec.distance(column([0.25]), column([0.75]))
        self.assertAllClose(distance, [[[[1.0]]]])
        # Phi(0) and Phi(1).
        error = codec.prediction_error(column([0.5]), column([3.0]))
        self.assertAllClose(error, [[[[4.0 * 0.341345**2]]]], rtol=1e-5)

    def test_small_integers_are_within_four_deviations(self):
        codec = NormalQuantile(mean=2.0, stddev=1.0)
        integers = codec.quantize(column([-2.0], [2.0], [6.0], [9.0]))
        self.assertEqual(integers.dtype, "uint16")
        self.assertAllEqual(np.ravel(integers), [0, 32768, 65535, 65535])
        found = codec.quantization.dequantize(integers)[0, :, 0, 0]
        self.assertAllClose(found, [-2.0, 2.0, 6.0, 6.0], atol=1e-4)

    def test_other_integers(self):
        hundredths = Quantization("uint8", scale=0.01)
        codec = NormalQuantile(2.0, 1.0, hundredths)
        self.assertAllEqual(codec.quantize(column([1.234])), [[[[123]]]])

    @parameterized.parameters(0.0, -1.0, float("nan"))
    def test_stddev_must_be_positive(self, stddev):
        with self.assertRaisesRegex(ValueError, "`stddev` must be positive"):
            NormalQuantile(mean=1.0, stddev=stddev)


class UnitVectorTest(TestCase):
    def test_codes(self):
        codec = UnitVector()
        vectors = column([-1, 0, 0], [0, 0.6, 0.8], [0, 0, 0])
        expected = column([0, 0.5, 0.5], [0.5, 0.8, 0.9], [0.5, 0.5, 0.5])
        self.assertAllClose(codec.encode(vectors), expected)
        self.assertAllClose(codec.encode_predictions(vectors), expected)
        self.assertEqual((codec.empty, codec.bounds), (0.5, (-1.0, 1.0)))

    def test_distance_is_one_minus_the_cosine(self):
        codec = UnitVector()
        up = column([0, 1, 0], [0, 1, 0])
        across = column([0, 0.6, 0.8], [1, 0, 0])
        distance = codec.distance(codec.encode(up), codec.encode(across))
        self.assertAllClose(distance[0, :, 0, 0], [0.4, 1.0])
        error = codec.prediction_error(codec.encode(up), across)
        self.assertAllClose(error, distance)

    def test_projection_repairs_lengths(self):
        # Interpolation shortens vectors; missing ones stay missing.
        vectors = column([0.0, 0.3, 0.4], [0.0, 0.0, 0.0])
        expected = column([0.0, 0.6, 0.8], [0.0, 0.0, 0.0])
        self.assertAllClose(UnitVector().project(vectors), expected)

    def test_small_integers_are_components(self):
        codec = UnitVector()
        # 0 is between 127 and 128.
        integers = codec.quantize(column([0.001, -1.0, 1.0]))
        self.assertEqual(integers.dtype, "uint8")
        self.assertAllEqual(np.ravel(integers), [128, 0, 255])
        found = codec.quantization.dequantize(np.array([128, 0, 255]))
        self.assertAllClose(found, [0.5 / 127.5, -1.0, 1.0])


def column(*pixels):
    """One image with these pixels below one another."""
    return tf.constant(
        np.array(pixels), "float32", (1, len(pixels), 1, len(pixels[0]))
    )
