import numpy as np
from absl.testing import parameterized

from jtr_keras.ops import colour_map, palette
from tests.testing import TestCase


class PaletteTest(TestCase):
    def test_first_colour_by_hand(self):
        # Hue 0, saturation 0.7, value 0.85.
        self.assertAllEqual(palette(1), [[217, 65, 65]])

    @parameterized.parameters(2, 13, 40)
    def test_colours_are_distinct_and_never_void_black(self, num_colours):
        colours = palette(num_colours)
        self.assertEqual(colours.shape, (num_colours, 3))
        self.assertEqual(colours.dtype, np.uint8)
        self.assertLen(np.unique(colours, axis=0), num_colours)
        self.assertGreater(colours.max(axis=1).min(), 200)

    def test_more_classes_keep_the_colours_of_the_first(self):
        self.assertAllEqual(palette(20)[:7], palette(7))


class ColourMapTest(TestCase):
    @parameterized.parameters(
        (0.0, [36, 12, 78]),
        (0.125, [39, 50, 110]),  # Half way between two anchors.
        (0.5, [32, 146, 140]),
        (1.0, [253, 231, 37]),
        (-3.0, [36, 12, 78]),
        (7.0, [253, 231, 37]),
    )
    def test_values(self, value, colour):
        colours = colour_map(np.full((2, 3), value))
        self.assertEqual(colours.dtype, np.uint8)
        self.assertAllEqual(colours, np.broadcast_to(colour, (2, 3, 3)))
