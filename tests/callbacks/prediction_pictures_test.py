import pathlib

from PIL import Image

from jtr_keras.callbacks import PredictionPictures
from tests import toy
from tests.testing import TestCase


class PredictionPicturesTest(TestCase):
    def test_writes_pictures_and_events(self):
        folder = pathlib.Path(self.get_temp_dir())
        batch = toy.make_batch(views=1, geometry=False)
        batch = (
            batch[0][:, 0],
            {k: v[:, 0] for k, v in batch[1].items()},
            batch[2],
        )
        data = toy.make_dataset(batch)
        model = toy.make_model()
        model.compile("sgd", jit_compile=False)
        pictures = PredictionPictures(
            data, folder / "png", folder / "events", every=2, num_images=2
        )
        model.fit(data, epochs=3, callbacks=[pictures], verbose=0)
        found = sorted(path.name for path in (folder / "png").iterdir())
        self.assertEqual(found, ["epoch_0002.png", "epoch_0003.png"])
        with Image.open(folder / "png" / found[0]) as table:
            # Two rows; the image, and two columns for each of four tasks.
            self.assertEqual(table.size, (9 * 18 - 2, 2 * 18 - 2 + 14))
        self.assertLen(list((folder / "events").iterdir()), 2)

    def test_every(self):
        data = toy.make_dataset(toy.make_batch())
        with self.assertRaisesRegex(ValueError, "`every`.*got 0"):
            PredictionPictures(data, "x", every=0)
