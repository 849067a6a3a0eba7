import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image, ImageEnhance, ImageOps

from jtr_keras.data.augmentation.photometric import OPERATIONS, photometric
from tests.testing import TestCase

STEP = 1.5 / 255


def enhance(kind):
    def function(image, level, sign):
        return kind(image).enhance(1.0 + sign * 0.03 * level)

    return function


PILLOW = {
    "identity": lambda image, level, sign: image,
    "brightness": enhance(ImageEnhance.Brightness),
    "colour": enhance(ImageEnhance.Color),
    "contrast": enhance(ImageEnhance.Contrast),
    "sharpness": enhance(ImageEnhance.Sharpness),
    "posterize": lambda image, level, sign: ImageOps.posterize(
        image, 8 if level < 4 else 7
    ),
    "solarize": lambda image, level, sign: ImageOps.solarize(
        image, 255.0 - 8.5 * level
    ),
    "autocontrast": lambda image, level, sign: ImageOps.autocontrast(image),
    "equalize": lambda image, level, sign: ImageOps.equalize(image),
}


def picture():
    rng = np.random.default_rng(0)
    smooth = np.linspace(20, 200, 24 * 32 * 3).reshape(24, 32, 3)
    return (smooth + rng.uniform(0, 55, smooth.shape)).astype("uint8")


@parameterized.parameters(*OPERATIONS)
class OperationsTest(TestCase):
    def test_equals_pillow(self, name):
        image = picture()
        image[0, 0] = 255  # Solarized even at level 0 if >= were used.
        for level, sign in ((0, 1), (3, -1), (5, 1)):
            expected = PILLOW[name](Image.fromarray(image), level, sign)
            found = OPERATIONS[name](
                tf.constant(image / 255, "float32"),
                tf.constant(float(level)),
                tf.constant(float(sign)),
            )
            self.assertAllClose(
                found, np.asarray(expected) / 255, atol=STEP, msg=str(level)
            )

    def test_stays_in_range_and_takes_flat_images(self, name):
        for value in (0.0, 0.5, 1.0):
            image = tf.fill((6, 7, 3), value)
            found = OPERATIONS[name](image, tf.constant(5.0), tf.constant(1.0))
            self.assertAllInRange(found, 0.0, 1.0)
            self.assertTrue(np.all(np.isfinite(found)))

    def assertAllInRange(self, values, low, high):  # noqa: N802
        self.assertGreaterEqual(np.min(values), low)
        self.assertLessEqual(np.max(values), high)


class PhotometricTest(TestCase):
    def test_every_operation_is_sampled(self):
        image = tf.constant(picture() / 255, "float32")
        count = len(OPERATIONS)
        for index, function in enumerate(OPERATIONS.values()):
            uniform = tf.constant([(index + 0.5) / count, 0.99, 0.9])
            expected = function(image, tf.constant(5.0), tf.constant(1.0))
            self.assertAllClose(photometric(image, uniform), expected)
