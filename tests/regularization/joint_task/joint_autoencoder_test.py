import numpy as np

from jtr_keras.regularization import JointAutoencoder
from tests.testing import TestCase


class JointAutoencoderTest(TestCase):
    def make(self):
        layer = JointAutoencoder(widths=(4, 6), num_convs=(1, 2))
        layer.build((None, None, None, 5))
        return layer

    def test_shapes_of_any_size(self):
        latent, decoded = self.make()(np.ones((2, 9, 12, 5)))
        self.assertEqual(latent.shape, (2, 3, 3, 6))
        self.assertEqual(decoded.shape, (2, 9, 12, 5))

    def test_latent_code_is_not_negative(self):
        inputs = np.random.default_rng(0).normal(size=(1, 8, 8, 5))
        latent, decoded = self.make()(inputs)
        self.assertGreaterEqual(np.min(latent), 0.0)
        self.assertLess(np.min(decoded), 0.0)

    def test_config(self):
        layer = self.make()
        copy = JointAutoencoder.from_config(layer.get_config())
        self.assertEqual((copy.widths, copy.num_convs), ((4, 6), (1, 2)))
