import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.ops import crop_to, pad_to_multiple
from tests.testing import TestCase

SIZES = (  # size, multiple, padded size
    ((4, 8), 4, (4, 8)),
    ((5, 8), 4, (8, 8)),
    ((4, 9), 4, (4, 12)),
    ((1, 3), 2, (2, 4)),
)


@parameterized.parameters(*SIZES)
class PaddingTest(TestCase):
    def test_zeros_at_the_bottom_and_right(self, size, multiple, padded_size):
        images = 1.0 + np.random.default_rng(0).uniform(size=(2, *size, 3))
        padded = pad_to_multiple(tf.constant(images), multiple).numpy()
        self.assertEqual(padded.shape, (2, *padded_size, 3))
        self.assertAllEqual(padded[:, : size[0], : size[1]], images)
        self.assertAllClose(padded.sum(), images.sum())
        self.assertAllEqual(crop_to(padded, images[..., :1]), images)

    def test_sizes_unknown_while_tracing(self, size, multiple, padded_size):
        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
        def there_and_back(images):
            padded = pad_to_multiple(images, multiple)
            return padded, crop_to(padded, images)

        images = np.random.default_rng(0).uniform(size=(2, *size, 3))
        padded, cropped = there_and_back(tf.constant(images, "float32"))
        self.assertEqual(padded.shape, (2, *padded_size, 3))
        self.assertAllClose(cropped, images)


class StaticShapeTest(TestCase):
    def test_known_sizes_stay_known(self):
        # Convolutions under XLA need them, even with an unknown batch.
        @tf.function(input_signature=[tf.TensorSpec((None, 5, 7, 3))])
        def there_and_back(images):
            padded = pad_to_multiple(images, 4)
            cropped = crop_to(padded, images)
            self.assertEqual(padded.shape.as_list(), [None, 8, 8, 3])
            self.assertEqual(cropped.shape.as_list(), [None, 5, 7, 3])
            return cropped

        there_and_back.get_concrete_function()
