from jtr_keras.regularization import Semantics
from jtr_keras.regularization.semantics import get_semantics
from tests.testing import TestCase


class SemanticsTest(TestCase):
    def test_names_stand_for_all_or_nothing(self):
        for name, expected in (("reference", True), ("corrected", False)):
            config = get_semantics(name).get_config()
            self.assertEqual(set(config.values()), {expected})

    def test_serialization(self):
        chosen = Semantics(new_draws=True)
        self.assertEqual(Semantics.from_config(chosen.get_config()), chosen)
        self.assertIs(get_semantics(chosen), chosen)

    def test_unknown_name(self):
        with self.assertRaisesRegex(ValueError, "corrected.*reference.*'new'"):
            get_semantics("new")
