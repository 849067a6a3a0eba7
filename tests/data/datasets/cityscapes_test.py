import pathlib

import numpy as np
import tensorflow as tf

from jtr_keras.data import cityscapes, cityscapes_source
from jtr_keras.data.datasets.cityscapes import CITYSCAPES
from tests.data import files
from tests.testing import TestCase


class CityscapesTest(TestCase):
    def test_folders_of_class_ids(self):
        root = self.get_temp_dir()
        files.write_npy(root)
        source = cityscapes_source(root, "train", label="label")
        self.assertEqual(source.columns, ("segmentation", "depth"))
        self.assertEqual(source.read(0, "segmentation").dtype, tf.int32)
        self.assertIn(
            "label_7", cityscapes_source(root, "train").file(0, "segmentation")
        )

    def test_depths_are_inverse(self):
        root = pathlib.Path(self.get_temp_dir())
        written = files.write_npy(root, "val", count=2)
        (root / "val" / "label").rename(root / "val" / "label_7")
        options = {"depth": {"mean": 5.0, "stddev": 2.0}}
        tasks = CITYSCAPES.make_tasks(options=options)
        self.assertTrue(tasks[1].inverse)
        _, y, _ = next(iter(cityscapes(root, "val", tasks)))
        self.assertAllClose(y["depth"], written["depth"], atol=1e-6)
        # Of the 13 classes in these files, 7 are the task's.
        labels = np.where(written["label"] < 7, written["label"], -1)
        self.assertAllEqual(y["segmentation"][..., 0], labels)
