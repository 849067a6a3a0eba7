from jtr_keras.regularization import JointRestorer
from tests.testing import TestCase


class JointRestorerTest(TestCase):
    def make(self, dtype="float32"):
        layer = JointRestorer(widths=(4, 6), dtype=dtype)
        layer.build((None, None, None, 5), (None, None, None, 7))
        return layer

    def test_both_networks_have_its_widths(self):
        restorer = self.make("mixed_bfloat16")
        for network in (restorer.denoiser, restorer.evidence):
            self.assertTrue(network.built)
            self.assertEqual(network.widths, (4, 6))
            self.assertEqual(network.compute_dtype, "bfloat16")

    def test_has_a_trust_a_task(self):
        self.assertEqual(self.make().trust.num_tasks, 2)

    def test_config(self):
        copy = JointRestorer.from_config(self.make("bfloat16").get_config())
        self.assertEqual((copy.widths, copy.stride), ((4, 6), 1))
        self.assertEqual(copy.evidence.compute_dtype, "bfloat16")
