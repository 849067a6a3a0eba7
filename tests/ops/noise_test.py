import keras
import numpy as np

from jtr_keras.ops import gumbel_noise
from tests.testing import TestCase


class NoiseTest(TestCase):
    def test_it_is_gumbel(self):
        noise = np.asarray(gumbel_noise((200, 500), seed=1))
        self.assertTrue(np.isfinite(noise).all())
        self.assertAllClose(noise.mean(), np.euler_gamma, atol=0.02)
        self.assertAllClose(noise.std(), np.pi / 6**0.5, atol=0.02)

    def test_a_generator_goes_on(self):
        generator = keras.random.SeedGenerator(1)
        first, second = (gumbel_noise((4,), generator) for _ in range(2))
        self.assertNotAllClose(first, second)
        self.assertAllClose(first, gumbel_noise((4,), seed=1))
