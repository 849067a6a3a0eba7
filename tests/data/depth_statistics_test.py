import numpy as np

from jtr_keras.data import FolderSource, depth_statistics
from tests.data import files
from tests.testing import TestCase


class DepthStatisticsTest(TestCase):
    def test_is_that_of_annotated_pixels(self):
        root = self.get_temp_dir()
        written = files.write_folder(root)
        files.path(root, "train", "depth", 1).unlink()
        depths = written["depth"][[0, 2], 1:] / 1000  # The first row is void.
        source = FolderSource(root, "train")
        self.assertAllClose(
            depth_statistics(source), (depths.mean(), depths.std()), atol=1e-5
        )

    def test_nothing_annotated(self):
        root = self.get_temp_dir()
        files.write_folder(root, count=1)
        path = files.path(root, "train", "depth", 0)
        files.save(np.zeros(files.SIZE, "uint16"), path)
        with self.assertRaisesRegex(ValueError, f"No pixel.*{path}"):
            depth_statistics(FolderSource(root, "train"))
