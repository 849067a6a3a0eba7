import numpy as np
from absl.testing import parameterized

from jtr_keras.models import UNet
from tests.testing import TestCase


class UNetTest(TestCase):
    @parameterized.parameters(((4, 8), 2), ((4, 8, 8), 4), ((4, 6, 6, 8), 8))
    def test_stride_is_the_smallest_size(self, widths, stride):
        unet = UNet(widths)
        self.assertEqual(unet.stride, stride)
        shape = (2, stride, 3 * stride, 3)
        expected = (*shape[:3], widths[0])
        self.assertEqual(unet(np.ones(shape)).shape, expected)
        self.assertEqual(unet.compute_output_shape(shape), expected)
        # Two blocks a level down, two a level up, four weights a block.
        self.assertLen(unet.trainable_weights, 4 * (4 * len(widths) - 2))

    def test_every_level_joins_its_own_resolution(self):
        # A change of one pixel, too small to survive averages, is kept sharp
        # by the skip at full resolution: pixels far away do not see it.
        unet = UNet(widths=(4, 4, 4))
        images = np.zeros((1, 64, 64, 3))
        base = unet(images).numpy()
        images[0, 0, 0] = 1.0
        changed = np.abs(unet(images) - base).max(axis=(0, 3)) > 0
        self.assertTrue(changed[0, 0])
        self.assertFalse(changed[40:].any())

    def test_levels_down_shrink_and_levels_up_grow(self):
        unet = UNet(widths=(4, 6, 8))
        self.assertEqual([b.filters for b in unet.down], [4, 4, 6, 6, 8, 8])
        self.assertEqual([b.filters for b in unet.up], [6, 6, 4, 4])
        unet.build((None, None, None, 3))
        # The skip's channels come on top of those from below.
        inputs = [b.conv.kernel.shape[2] for b in unet.up]
        self.assertEqual(inputs, [8 + 6, 6, 6 + 4, 4])

    def test_training_reaches_every_block(self):
        unet = UNet(widths=(4, 8))
        images = np.random.default_rng(0).normal(size=(2, 8, 8, 3))
        unet(images, training=True)
        for block in unet.down + unet.up:
            self.assertNotAllClose(
                block.norm.moving_variance.numpy(), np.ones(block.filters)
            )

    def test_one_level_is_no_unet(self):
        with self.assertRaisesRegex(ValueError, r"at least two.*got \(4,\)"):
            UNet(widths=(4,))
