import numpy as np

from jtr_keras.layers import IndexedUnpooling, SegNetDecoder, SegNetEncoder
from tests.testing import TestCase

LEVELS = {"widths": (4, 8, 16), "num_convs": (1, 2, 1)}


class SegNetDecoderTest(TestCase):
    def test_widths_mirror_the_encoder(self):
        # The blocks of a level narrow to the width of the level above.
        decoder = SegNetDecoder(**LEVELS)
        self.assertEqual([b.filters for b in decoder.blocks], [8, 4, 4, 4])

    def test_shapes(self):
        shape = (2, 16, 24, 3)
        encoder, decoder = SegNetEncoder(**LEVELS), SegNetDecoder(**LEVELS)
        outputs = decoder(*encoder(np.ones(shape)))
        self.assertEqual(outputs.shape, (2, 16, 24, 4))
        for size in ((16, 24), (None, 24), (16, None)):
            shapes = encoder.compute_output_shape((None, *size, 3))
            self.assertEqual(
                decoder.compute_output_shape(*shapes), (None, *size, 4)
            )

    def test_levels_are_unpooling_then_convolutions(self):
        settings = LEVELS | {"normalization": "instance"}
        encoder, decoder = SegNetEncoder(**settings), SegNetDecoder(**settings)
        images = np.random.default_rng(0).normal(size=(1, 8, 8, 3))
        features, masks = encoder(images)
        outputs = decoder(features, masks)
        first, second, third, fourth = decoder.blocks
        unpool = IndexedUnpooling()
        expected = first(unpool(features, masks[2]))
        expected = third(second(unpool(expected, masks[1])))
        expected = fourth(unpool(expected, masks[0]))
        self.assertAllClose(outputs, expected, atol=1e-5)
        self.assertEqual(first.normalization, "instance")
