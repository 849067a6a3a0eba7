import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.models import UNet
from tests.testing import TestCase


class UNetTest(TestCase):
    @parameterized.parameters(((4, 8), 2), ((4, 8, 8), 4), ((4, 6, 6, 8), 8))
    def test_divisor_is_the_smallest_size(self, widths, divisor):
        unet = UNet(widths)
        self.assertEqual(unet.size_divisor, divisor)
        shape = (2, divisor, 3 * divisor, 3)
        expected = (*shape[:3], widths[0])
        self.assertEqual(unet(np.ones(shape)).shape, expected)
        self.assertEqual(unet.compute_output_shape(shape), expected)
        # Two blocks a level down, two a level up, four weights a block.
        self.assertLen(unet.trainable_weights, 4 * (4 * len(widths) - 2))

    def test_levels_join_by_resolution(self):
        unet = UNet(widths=(4, 6))
        rng = np.random.default_rng(0)
        images = keras.ops.cast(rng.normal(size=(2, 8, 12, 3)), "float32")
        outputs = unet(images)
        skip = unet.down[1](unet.down[0](images))
        low = keras.layers.MaxPooling2D()(skip)
        low = unet.down[3](unet.down[2](low))
        enlarged = np.repeat(np.repeat(low, 2, axis=1), 2, axis=2)
        joined = keras.ops.concatenate([enlarged, skip], axis=-1)
        self.assertAllClose(outputs, unet.up[1](unet.up[0](joined)), atol=1e-5)

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

    def test_a_stem_makes_features_coarser(self):
        unet = UNet(widths=(4, 8), stem_strides=2)
        self.assertEqual(unet.size_divisor, 4)
        images = np.random.default_rng(0).normal(size=(2, 8, 12, 3))
        outputs = unet(images)
        self.assertEqual(outputs.shape, (2, 4, 6, 4))
        self.assertEqual(unet.compute_output_shape((2, 8, 12, 3)), (2, 4, 6, 4))
        rest = UNet(widths=(4, 8))
        rest.build((None, None, None, 4))
        rest.set_weights(unet.get_weights()[2:])
        self.assertAllClose(outputs, rest(unet.stem(images)), atol=1e-6)

    def test_one_level_is_no_unet(self):
        with self.assertRaisesRegex(ValueError, r"at least two.*got \(4,\)"):
            UNet(widths=(4,))
