import pathlib

import numpy as np
from absl.testing import parameterized
from PIL import Image

from jtr_keras.data import FolderSource, check, nyuv2_source
from tests.data import files
from tests.testing import TestCase


def truncate(path):
    path.write_bytes(path.read_bytes()[:60])


def fill(value, size=files.SIZE, dtype="uint8"):
    def change(path):
        Image.fromarray(np.full(size, value, dtype)).save(path)

    return change


def store(value, shape=(*files.SIZE, 1)):
    return lambda path: np.save(path, np.full(shape, value))


class CheckTest(TestCase):
    def look(self, source, labels=None):
        labels = np.ones((source.num_images, 3)) if labels is None else labels
        check(source, files.make_tasks(), labels, verbose=0)

    @parameterized.parameters(
        ("depth", pathlib.Path.unlink, "missing or cannot be read as depth"),
        ("image", truncate, "missing or cannot be read as image"),
        ("segmentation", truncate, "cannot be read as segmentation"),
        ("segmentation", fill(13), r"class ids must be 0 to 12.*found \[13\]"),
        (
            "segmentation",
            fill(1, (4, 4)),
            r"must have shape \(8, 12, 1\) .*got \(4, 4, 1\)",
        ),
        ("image", fill(1, (4, 4, 3)), r"must have shape \(8, 12, 3\)"),
        ("segmentation", fill(1, (8, 12, 3)), "expected a PNG of 8 bit grey"),
    )
    def test_folder(self, name, change, message):
        root = self.get_temp_dir()
        files.write_folder(root)
        source = FolderSource(root, "train")
        self.look(source)
        path = files.path(root, "train", name, 1)
        change(path)
        with self.assertRaisesRegex(ValueError, f"{path}.*({message})"):
            self.look(source)

    @parameterized.parameters(
        ("depth", store(np.nan), "depths must be positive and finite"),
        ("depth", store(-1.0), "depths must be positive and finite"),
        ("label", store(99.0, files.SIZE), r"class ids .*found \[99\]"),
        ("image", store(255.0, (*files.SIZE, 3)), r"must be in \[0, 1\]"),
        ("normal", store(1.0, (*files.SIZE, 3)), "must have length 1"),
        ("depth", store(1.0, (3, 3, 1)), r"shape \(8, 12, 1\)"),
        ("label", truncate, "missing or cannot be read"),
    )
    def test_npy(self, folder, change, message):
        root = self.get_temp_dir()
        files.write_npy(root)
        source = nyuv2_source(root, "train")
        self.look(source)
        path = pathlib.Path(root) / "train" / folder / "2.npy"
        change(path)
        with self.assertRaisesRegex(ValueError, f"{path}.*{message}"):
            self.look(source)

    @parameterized.parameters(b"", b"\x89PNG")
    def test_a_broken_first_image_is_named(self, content):
        folder = files.write_folder, FolderSource, "000.png"
        npy = files.write_npy, nyuv2_source, "0.npy"
        for write, source, name in (folder, npy):
            root = pathlib.Path(self.get_temp_dir()) / write.__name__
            write(root)
            path = root / "train" / "image" / name
            path.write_bytes(content)
            with self.assertRaisesRegex(ValueError, f"{path}.*cannot be read"):
                source(root, "train")

    def test_a_missing_folder_is_named(self):
        root = pathlib.Path(self.get_temp_dir())
        files.write_folder(root)
        (root / "train" / "depth").rename(root / "elsewhere")
        with self.assertRaisesRegex(ValueError, f"'depth'.*{root}.*normals"):
            self.look(FolderSource(root, "train"))

    def test_unused_annotations_may_be_missing(self):
        root = self.get_temp_dir()
        files.write_folder(root)
        source = FolderSource(root, "train")
        files.path(root, "train", "depth", 2).unlink()
        labels = np.ones((3, 3))
        labels[2, 1] = 0
        self.look(source, labels)
        self.look(source, "available")
        message = r"depth/002.png is missing or cannot be read as depth: [^{]*$"
        with self.assertRaisesRegex(ValueError, message):
            self.look(source, "full")
