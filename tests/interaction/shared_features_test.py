import numpy as np
from absl.testing import parameterized

from jtr_keras.interaction import SharedFeatures
from jtr_keras.layers import PyramidFusion
from tests import toy
from tests.testing import TestCase

MAPS = [np.ones((2, 8, 6, 3), "float32"), np.ones((2, 4, 3, 5), "float32")]


def bound(decoded, num_maps=2):
    layer = SharedFeatures(filters=4)
    channels, strides = (3, 5)[:num_maps], (1, 2)[:num_maps]
    layer.bind(toy.make_tasks(), channels, strides, decoded)
    return layer


class SharedFeaturesTest(TestCase):
    @parameterized.parameters((True, 2), (False, 1))
    def test_one_map_or_a_decoders_finest_is_left_as_it_is(
        self, decoded, num_maps
    ):
        layer = bound(decoded, num_maps)
        features = layer(MAPS[:num_maps])
        for task in toy.make_tasks():
            self.assertAllEqual(features.by_task[task.name], MAPS[0])
        self.assertAllEqual(features.shared, MAPS[0])
        self.assertEqual(features.auxiliary, {})
        self.assertEqual(layer.weights, [])

    def test_other_pyramids_are_fused(self):
        layer = bound(decoded=False)
        features = layer(MAPS)
        fusion = PyramidFusion(4)
        fusion.build([x.shape for x in MAPS])
        fusion.set_weights(layer.fusion.get_weights())
        self.assertAllClose(features.shared, fusion(MAPS))
        for value in features.by_task.values():
            self.assertIs(value, features.shared)

    def test_training_is_passed_on(self):
        layer = bound(decoded=False)
        layer(MAPS, training=True)
        for block in layer.fusion.smoothers:
            self.assertGreater(np.abs(block.norm.moving_mean).max(), 0.0)
