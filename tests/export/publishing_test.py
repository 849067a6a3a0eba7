import pathlib

from absl.testing import parameterized

from jtr_keras.export.publishing import (
    find_saved_model,
    latest_version,
    publish_files,
    publish_version,
)
from tests.testing import TestCase


def write(folder):
    folder.mkdir()
    (folder / "saved_model.pb").write_text("whole")


def fail(path):
    path.with_suffix(".part").write_text("half")
    raise RuntimeError("no space")


class PublishVersionTest(TestCase):
    def setUp(self):
        super().setUp()
        self.name = pathlib.Path(self.get_temp_dir()) / "models" / "name"

    def found(self):
        return sorted(path.name for path in self.name.iterdir())

    def test_next_free_version(self):
        self.assertEqual(publish_version(self.name, write), self.name / "1")
        publish_version(self.name / "7", write)
        (self.name / "notes").mkdir()
        (self.name / "9").mkdir()  # Taken, whatever is in it.
        publish_version(str(self.name), write)
        self.assertEqual(self.found(), ["1", "10", "7", "9", "notes"])

    def test_a_version_that_exists_is_refused_before_any_work(self):
        publish_version(self.name / "1", write)
        with self.assertRaisesRegex(FileExistsError, "name/1 exists"):
            publish_version(self.name / "1", fail)

    def test_a_failure_leaves_nothing(self):
        publish_version(self.name, write)
        with self.assertRaisesRegex(RuntimeError, "no space"):
            publish_version(self.name, fail)
        self.assertEqual(self.found(), ["1"])

    @parameterized.parameters(True, False)
    def test_another_export_is_faster(self, empty):
        def slow(folder):
            write(folder)
            (self.name / "1").mkdir()
            if not empty:
                (self.name / "1" / "theirs").touch()

        target = publish_version(self.name, slow)
        self.assertEqual(target.name, "2")
        self.assertFalse((self.name / "1" / "saved_model.pb").exists())

    def test_another_export_of_the_same_version_is_faster(self):
        def slow(folder):
            write(folder)
            (self.name / "3").mkdir()

        with self.assertRaisesRegex(FileExistsError, "name/3 exists"):
            publish_version(self.name / "3", slow)
        self.assertEqual(self.found(), ["3"])


class LatestVersionTest(TestCase):
    def test_latest_version(self):
        name = pathlib.Path(self.get_temp_dir())
        self.assertIsNone(latest_version(name / "nothing"))
        self.assertIsNone(latest_version(name))
        for version in ("2", "10", "9"):
            publish_version(name / version, write)
        (name / "11").mkdir()  # Not a SavedModel.
        self.assertEqual(latest_version(name), name / "10")
        self.assertEqual(find_saved_model(str(name / "9")), name / "9")
        with self.assertRaisesRegex(ValueError, "no SavedModel in .*11"):
            find_saved_model(name / "11")


class PublishFilesTest(TestCase):
    def test_files_that_belong_together(self):
        path = pathlib.Path(self.get_temp_dir()) / "new" / "model.xml"

        def write_two(file):
            file.write_text("graph")
            file.with_suffix(".bin").write_text("weights")

        self.assertEqual(publish_files(path, write_two), path)
        found = sorted(p.name for p in path.parent.iterdir())
        self.assertEqual(found, ["model.bin", "model.xml"])
        with self.assertRaisesRegex(FileExistsError, r"model.xml exists"):
            publish_files(path, fail)
        self.assertEqual(path.read_text(), "graph")

    def test_a_failure_leaves_nothing(self):
        path = pathlib.Path(self.get_temp_dir()) / "model.xml"
        with self.assertRaisesRegex(RuntimeError, "no space"):
            publish_files(path, fail)
        self.assertEmpty(list(path.parent.iterdir()))
