import numpy as np

from jtr_keras.data import nyuv2, nyuv2_source
from jtr_keras.data.datasets.nyuv2 import NYUV2
from jtr_keras.types import GEOMETRY
from tests.data import files
from tests.testing import TestCase


class NYUv2Test(TestCase):
    def test_values(self):
        root = self.get_temp_dir()
        written = files.write_npy(root, "val", count=11)
        data = nyuv2(root, "val", NYUV2.make_tasks(), batch_size=11)
        x, y, _ = next(iter(data))
        self.assertAllClose(x, written["image"], atol=1e-6)
        self.assertAllEqual(y["segmentation"][..., 0], written["label"])
        self.assertAllClose(y["depth"], written["depth"], atol=1e-6)
        self.assertAllClose(y["normals"], written["normal"], atol=1e-5)

    def test_signs_of_normals(self):
        root = self.get_temp_dir()
        written = files.write_npy(root)
        source = nyuv2_source(root, "train", normal_axes=(1, -1, -1))
        found = source.read(0, "normals")
        expected = written["normal"][0] * np.array([1, -1, -1])
        self.assertAllClose(found, expected, atol=1e-6)

    def test_training_images_are_never_mirrored(self):
        # As in the reference.
        root = self.get_temp_dir()
        files.write_npy(root)
        tasks = NYUV2.make_tasks(["depth"])
        data = nyuv2(root, "train", tasks, num_views=3, batch_size=3)
        for _ in range(4):
            x, _, _ = next(iter(data))
            self.assertAllEqual(x[GEOMETRY][..., 0], np.zeros((3, 3)))
