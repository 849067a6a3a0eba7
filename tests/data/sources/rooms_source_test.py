import numpy as np
from absl.testing import parameterized

from jtr_keras.data import RoomsSource
from tests.testing import TestCase


@parameterized.parameters(("train", 800), ("val", 200))
class RoomsSourceTest(TestCase):
    def test_names_and_files(self, split, count):
        source = RoomsSource(split)
        self.assertLen(set(source.names), count)
        self.assertEqual(
            (source.names[0], source.names[-1][-2:]), ("0000", "99")
        )
        self.assertStartsWith(
            repr(source),
            f"RoomsSource({split!r}): {count} images of 96x128 with "
            "segmentation, depth, normals, edge_texture",
        )
        self.assertRegex(source.file(3, "depth"), f"main-{split}.*, record 3")
        self.assertRegex(
            source.file(3, "reshading"), f"extra-{split}.*record 3"
        )

    def test_values(self, split, count):
        source = RoomsSource(split)
        for index in (0, count // 2, count - 1):
            image, labels, depth, normals = (
                source.read(index, name).numpy()
                for name in ("image", "segmentation", "depth", "normals")
            )
            self.assertEqual(image.shape, (96, 128, 3))
            self.assertBetween(image.min(), 0, 1)
            self.assertGreater(image.std(), 0.02)
            self.assertBetween(labels.min(), -1, 12)
            self.assertBetween(labels.max(), 1, 12)
            self.assertBetween(depth[depth > 0].mean(), 0.5, 10)
            length = np.linalg.norm(normals, axis=-1)
            self.assertAllClose(length, length > 0.5, atol=1e-5)
            self.assertGreater(length.mean(), 0.5)
