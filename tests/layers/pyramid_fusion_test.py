import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.layers import PyramidFusion
from tests.testing import TestCase

SHAPES = ((2, 8, 12, 4), (2, 4, 6, 8), (2, 2, 3, 16))


class PyramidFusionTest(TestCase):
    @parameterized.parameters(1, 3)
    def test_shapes_and_weights(self, num_levels):
        fusion = PyramidFusion(filters=5)
        shapes = list(SHAPES[:num_levels])
        outputs = fusion([np.ones(shape) for shape in shapes])
        self.assertEqual(outputs.shape, (2, 8, 12, 5))
        self.assertEqual(fusion.compute_output_shape(shapes), (2, 8, 12, 5))
        # A 1x1 convolution and a block a level.
        self.assertLen(fusion.trainable_weights, 6 * num_levels)

    def test_values(self):
        # With convolutions that copy, the sum of the levels, enlarged.
        fusion = PyramidFusion(filters=1)
        shapes = [(1, 2, 4, 1), (1, 1, 2, 1)]
        fusion.build(shapes)
        middle = np.zeros((3, 3, 1, 1))
        middle[1, 1] = np.sqrt(1.0 + 1e-5)  # Undoes the normalisation.
        for lateral, smoother in zip(
            fusion.laterals, fusion.smoothers, strict=True
        ):
            lateral.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
            smoother.conv.set_weights([middle, np.zeros(1)])
        fine = np.arange(8.0).reshape(shapes[0])
        coarse = np.array([0.0, 4.0]).reshape(shapes[1])
        self.assertAllClose(
            fusion([fine, coarse])[0, :, :, 0],
            [[0.0, 2.0, 5.0, 7.0], [4.0, 6.0, 9.0, 11.0]],
            rtol=1e-5,
        )

    def test_training_reaches_every_smoother(self):
        fusion = PyramidFusion(filters=2)
        inputs = [np.ones(shape) for shape in SHAPES]
        fusion(inputs, training=False)
        averages = fusion.non_trainable_weights
        before = keras.tree.map_structure(lambda v: v.numpy(), averages)
        fusion(inputs, training=True)
        for old, new in zip(before, averages, strict=True):
            self.assertNotAllClose(old, new.numpy())

    def test_every_level_counts(self):
        fusion = PyramidFusion(filters=3)
        inputs = [np.ones(shape) for shape in SHAPES]
        base = fusion(inputs)
        for level in range(3):
            changed = list(inputs)
            changed[level] = -changed[level]
            self.assertNotAllClose(fusion(changed), base)
