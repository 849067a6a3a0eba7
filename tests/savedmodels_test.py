"""The models that come with the repository."""

import pathlib

import numpy as np
from PIL import Image
from sklearn import datasets

import jtr_keras as jtr
from jtr_keras.training.scoring import Scoring
from tests.cli.running import run
from tests.testing import TestCase

ROOMS = pathlib.Path(__file__).parents[1] / "savedmodels" / "rooms"


class RoomsModelTest(TestCase):
    def test_is_small(self):
        files = [path for path in ROOMS.rglob("*") if path.is_file()]
        self.assertLess(sum(p.stat().st_size for p in files), 10e6)

    def test_numbers_of_the_model_card_are_real(self):
        saved = jtr.export.SavedPredictor(ROOMS)
        scoring = Scoring(saved.tasks)
        for x, y, labelled in jtr.data.rooms("val", saved.tasks):
            scoring.update(y, saved(x), labelled)
        card = saved.path / "assets.extra" / "model_card.md"
        told = saved.metadata["metrics"]
        primary = {
            f"{task.name}_{task.primary_metric}": task for task in saved.tasks
        }
        for metric in scoring.metrics:
            if metric.name in primary:
                value = float(metric.result())
                self.assertAllClose(told[metric.name], value, rtol=1e-3)
                line = f"`{metric.name}` | {told[metric.name]:.4f}"
                self.assertIn(line, card.read_text())
                primary.pop(metric.name)
        self.assertEmpty(primary)

    def test_predicts_a_photograph(self):
        folder = pathlib.Path(self.get_temp_dir())
        photo = datasets.load_sample_image("china.jpg")[::2, ::2]
        Image.fromarray(photo).save(folder / "china.jpg")
        run(
            "predict",
            f"--model={ROOMS}",
            f"--output={folder / 'out'}",
            folder / "china.jpg",
        )
        with Image.open(folder / "out" / "china.png") as picture:
            maps = np.asarray(picture)[14:]
        for column in np.split(maps[:, : 4 * 320], 4, axis=1):
            self.assertGreater(column.std(), 5.0)
