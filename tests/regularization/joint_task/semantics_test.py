from jtr_keras.regularization import Semantics
from jtr_keras.regularization.joint_task.semantics import CORRECTED, REFERENCE
from tests.testing import TestCase


class SemanticsTest(TestCase):
    def test_all_or_nothing(self):
        for semantics, expected in ((REFERENCE, True), (CORRECTED, False)):
            config = semantics.get_config()
            self.assertEqual(set(config.values()), {expected})

    def test_serialization(self):
        chosen = Semantics(new_draws=True)
        self.assertEqual(Semantics.from_config(chosen.get_config()), chosen)
