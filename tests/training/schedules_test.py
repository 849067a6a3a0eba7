from absl.testing import parameterized

from jtr_keras.training import learning_rate
from tests.testing import TestCase


class LearningRateTest(TestCase):
    @parameterized.parameters(
        ("cosine", 0, 0.0),
        ("cosine", 5, 1.0),
        ("cosine", 50, 0.5395),  # cos: 45 of 95 steps after the warm-up.
        ("cosine", 100, 0.0),
        ("halved", 50, 1.0),
        ("halved", 51, 0.5),
    )
    def test_values(self, name, step, expected):
        rate = learning_rate(name, peak=1.0, steps=100)
        self.assertAllClose(rate(step), expected, atol=2e-3)

    def test_constant(self):
        self.assertEqual(learning_rate("constant", 0.1, steps=10), 0.1)

    def test_one_step(self):
        self.assertAllClose(learning_rate("cosine", 1.0, steps=1)(1), 1.0)

    def test_unknown(self):
        with self.assertRaisesRegex(ValueError, "cosine.*halved.*got 'linear'"):
            learning_rate("linear", 0.1, steps=10)
