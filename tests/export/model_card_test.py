import json

from jtr_keras.export.model_card import model_card
from tests.export import example
from tests.testing import TestCase


class ModelCardTest(TestCase):
    def test_model_card(self):
        card = example.extra("model_card.md").read_text()
        for text in (
            "# toy\n",
            "| `depth` | 1 | depth | metre |",
            "24x32",
            "`depth_abs_err` | 0.5000",
            "`flags.epochs` | `1`",
            "`optimizer` | `SGD`",
            "`serve_bytes` | `image_bytes` |",
            "`segmentation` | uint8 | number of the most likely class",
            "`depth` | uint16 | 0 + 0.001 * integer | metre |",
            "`normals` | uint8 | -1 + 0.00784314 * integer |  |",
        ):
            self.assertIn(text, card)

    def test_nothing_is_claimed_that_is_not_known(self):
        metadata = json.loads(example.extra("metadata.json").read_text())
        metadata |= {"metrics": None, "training": None}
        card = model_card("x", metadata)
        self.assertEqual(card.count("Not recorded."), 2)
