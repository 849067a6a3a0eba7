from unittest import mock

import numpy as np

from jtr_keras.data import ENCODINGS, UNCHANGED, Encoding, folder
from jtr_keras.data.datasets.folder import FOLDER
from jtr_keras.data.datasets.rooms import FURTHER_TASKS
from jtr_keras.registry import TASKS
from jtr_keras.tasks import DenseRegression
from tests.data import files
from tests.testing import TestCase

OPTIONS = {
    "segmentation": {"num_classes": 13},
    "depth": {"mean": 5.0, "stddev": 2.5},
}


class Heat(DenseRegression):
    def __init__(self, maximum=1.0):
        super().__init__("heat", maximum=maximum)


class FolderTest(TestCase):
    def test_values(self):
        root = self.get_temp_dir()
        written = files.write_folder(root, extra=True)
        names = [*OPTIONS, "normals", *FURTHER_TASKS]
        tasks = FOLDER.make_tasks(names, OPTIONS)
        self.assertEqual([task.name for task in tasks], names)
        data = folder(
            root, "train", tasks, batch_size=3, augmentation=UNCHANGED
        )
        _, y, _ = next(iter(data))
        found = np.sort(np.ravel(y["depth"]))
        expected = np.sort(np.ravel(written["depth"])) / 1000
        self.assertAllClose(found, expected)
        self.assertEqual(set(y), set(names))

    def test_a_registered_task_needs_no_line_here(self):
        root = self.get_temp_dir()
        written = files.write_folder(root)
        for index, values in enumerate(written["segmentation"]):
            files.save(values, files.path(root, "train", "heat", index))
        self.assertNotIn("heat", FOLDER.tasks)
        encoding = Encoding(1, lambda values: values)
        with (
            mock.patch.dict(TASKS.entries, {"heat": Heat}),
            mock.patch.dict(ENCODINGS, {"heat": encoding}),
        ):
            self.assertIn("heat", FOLDER.tasks)
            (heat,) = FOLDER.make_tasks(["heat"], {"heat": {"maximum": 255.0}})
            data = folder(root, "train", [heat], training=False)
            _, y, _ = next(iter(data))
        self.assertAllClose(y["heat"][..., 0], written["segmentation"])

    def test_nothing_there(self):
        with self.assertRaisesRegex(ValueError, "expected JPEG or PNG"):
            folder(self.get_temp_dir(), "train", [])
