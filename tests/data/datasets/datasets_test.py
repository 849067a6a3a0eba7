import numpy as np
from absl.testing import parameterized

import jtr_keras as jtr
from jtr_keras.data.sources.encodings import CODINGS
from tests.data import files
from tests.testing import TestCase


class RoomsTest(TestCase):
    @parameterized.parameters(("train", 800), ("val", 200))
    def test_size(self, split, count):
        source = jtr.data.RoomsSource(split)
        self.assertEqual(source.num_images, count)
        self.assertEqual(set(source.channels), set(CODINGS))

    def test_every_annotation_fits_its_task(self):
        dataset = jtr.data.get_dataset("rooms")
        tasks = dataset.make_tasks(list(CODINGS))
        source = jtr.data.RoomsSource("val")
        labels = np.zeros((200, len(tasks)))
        labels[::20] = 1
        jtr.data.check(source, tasks, labels, verbose=0)
        annotated = [
            task.valid_mask(source.target(0, task)[None]).numpy().mean()
            for task in tasks
        ]
        self.assertGreater(min(annotated), 0.5)

    def test_training_has_views_and_evaluation_has_none(self):
        tasks = jtr.data.get_dataset("rooms").make_tasks(["depth"])
        train = jtr.data.rooms("train", tasks, num_views=3, batch_size=2)
        self.assertEqual(train.element_spec[0].shape, (2, 3, 96, 128, 3))
        val = jtr.data.rooms("val", tasks, batch_size=2)
        self.assertEqual(val.element_spec[0].shape[1:], (96, 128, 3))

    def test_unknown_split(self):
        with self.assertRaisesRegex(ValueError, "train.*val.*got 'test'"):
            jtr.data.RoomsSource("test")


class DatasetTest(TestCase):
    def test_options_replace_the_datasets_own(self):
        dataset = jtr.data.get_dataset("rooms")
        options = {"depth": {"mean": 5.0}}
        tasks = dataset.make_tasks(["depth", "normals"], options)
        self.assertEqual([t.name for t in tasks], ["depth", "normals"])
        self.assertEqual((tasks[0].mean, tasks[0].stddev), (5.0, 0.86))

    @parameterized.parameters("rooms", "nyuv2", "cityscapes")
    def test_other_classes_have_no_names_of_the_dataset_s(self, name):
        dataset = jtr.data.get_dataset(name)
        (usual,) = dataset.make_tasks(["segmentation"])
        self.assertLen(usual.class_names, usual.num_classes)
        options = {"segmentation": {"num_classes": 3}}
        (other,) = dataset.make_tasks(["segmentation"], options)
        self.assertEqual((other.num_classes, other.class_names), (3, None))

    @parameterized.parameters(
        ("rooms", ["dept"], None, "no task 'dept'.*'depth'"),
        ("rooms", None, {"dept": {}}, "no task 'dept'"),
        ("rooms", ["depth"], {"depth": {"average": 1}}, "'depth'.*'average'"),
        ("cityscapes", None, None, "'depth'.*'mean' and 'stddev'"),
        ("folder", None, None, "'segmentation'.*'num_classes'.*task_options"),
        ("rooms", None, {"depth": {"stddev": 0}}, "'depth'.*positive; got 0"),
    )
    def test_errors(self, name, tasks, options, message):
        with self.assertRaisesRegex(ValueError, message):
            jtr.data.get_dataset(name).make_tasks(tasks, options)

    def test_unknown_dataset(self):
        with self.assertRaisesRegex(ValueError, "'room'.*'rooms'"):
            jtr.data.get_dataset("room")

    def test_folder_and_npy(self):
        root = self.get_temp_dir()
        written = files.write_folder(root, extra=True)
        options = {
            "segmentation": {"num_classes": 13},
            "depth": {"mean": 5.0, "stddev": 2.5},
        }
        tasks = jtr.data.get_dataset("folder").make_tasks(options=options)
        data = jtr.data.folder(
            root,
            "train",
            tasks,
            batch_size=3,
            augmentation=jtr.data.augmentation.UNCHANGED,
        )
        _, y, _ = next(iter(data))
        found = np.sort(np.ravel(y["depth"]))
        expected = np.sort(np.ravel(written["depth"])) / 1000
        self.assertAllClose(found, expected)

    def test_npy_values(self):
        root = self.get_temp_dir()
        written = files.write_npy(root, "val", count=11)
        tasks = jtr.data.get_dataset("nyuv2").make_tasks()
        data = jtr.data.nyuv2(root, "val", tasks, batch_size=11)
        x, y, _ = next(iter(data))
        self.assertAllClose(x, written["image"], atol=1e-6)
        self.assertAllEqual(y["segmentation"][..., 0], written["label"])
        self.assertAllClose(y["depth"], written["depth"], atol=1e-6)
        self.assertAllClose(y["normals"], written["normal"], atol=1e-5)

    def test_signs_of_normals(self):
        root = self.get_temp_dir()
        written = files.write_npy(root)
        source = jtr.data.nyuv2_source(root, "train", normal_axes=(1, -1, -1))
        found = source.read(0, "normals")
        expected = written["normal"][0] * np.array([1, -1, -1])
        self.assertAllClose(found, expected, atol=1e-6)

    def test_nothing_there(self):
        for source in (jtr.data.FolderSource, jtr.data.nyuv2_source):
            with self.assertRaisesRegex(ValueError, "expected"):
                source(self.get_temp_dir(), "train")
