import numpy as np
from absl.testing import parameterized

from jtr_keras.ops.images import IMAGES, VIEWS, check_images, fits
from tests.testing import TestCase


class ImagesTest(TestCase):
    def test_images_and_views(self):
        for dtype in ("float16", "float32", "float64"):
            one = np.zeros((2, 4, 6, 3), dtype)
            check_images("x", one)
            check_images("x", one[:, None], (IMAGES, VIEWS))

    def test_message_names_what_is_expected(self):
        with self.assertRaisesRegex(
            ValueError,
            r"`x` must have shape \(batch, height, width, 3\); got \(2, 4\)",
        ):
            check_images("x", np.zeros((2, 4)))

    @parameterized.parameters(
        ((2, 3), (2, 3), True),
        ((2, 3), (2, None), True),
        ((None, 3), (2, 3), True),
        ((2, 3), (2, 4), False),
        ((2, 3), (2, 3, 1), False),
    )
    def test_unknown_sizes_fit(self, shape, expected, result):
        self.assertEqual(fits(shape, expected), result)
