import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.data import ENCODINGS, Encoding, FolderSource, pipeline
from jtr_keras.tasks import DenseRegression
from tests.data import files
from tests.testing import TestCase


class FolderSourceTest(TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.get_temp_dir())

    def test_values(self):
        written = files.write_folder(self.root)
        source = FolderSource(self.root, "train")
        self.assertEqual(source.names, ["000", "001", "002"])
        self.assertEqual(source.size, files.SIZE)
        labels = written["segmentation"].astype(int)
        labels[labels == 255] = -1
        vectors = written["normals"] - 128.0
        vectors /= np.maximum(np.linalg.norm(vectors, axis=-1), 1)[..., None]
        for index in range(3):
            image, segmentation, depth, normals = (
                source.read(index, name) for name in ("image", *files.MAIN)
            )
            self.assertAllClose(image, written["image"][index] / 255)
            self.assertAllEqual(segmentation[..., 0], labels[index])
            self.assertAllClose(depth[..., 0], written["depth"][index] / 1000)
            self.assertAllClose(normals, vectors[index], atol=1e-6)

    def test_annotations_are_the_folders_that_exist(self):
        files.write_folder(self.root)
        files.write_folder(self.root, "all", extra=True)
        self.assertEqual(
            FolderSource(self.root, "train").channels,
            {"segmentation": 1, "depth": 1, "normals": 3},
        )
        channels = FolderSource(str(self.root), "all").channels
        self.assertLen(channels, 8)
        self.assertEqual(channels["principal_curvature"], 2)

    def test_prints_where_it_is_and_what_it_holds(self):
        files.write_folder(self.root)
        folder = self.root / "train"
        self.assertEqual(
            repr(FolderSource(self.root, "train")),
            f"FolderSource({str(folder)!r}): 3 images of 8x12 with "
            "segmentation, depth, normals",
        )

    def test_an_encoding_of_one_s_own(self):
        def decode(integers):
            return tf.cast(integers, tf.float32) / 10.0

        encoding = Encoding(1, decode, dtype=tf.uint16)
        with mock.patch.dict(ENCODINGS, {"heat": encoding}):
            written = files.write_folder(self.root)
            for index, depth in enumerate(written["depth"]):
                path = files.path(self.root, "train", "heat", index)
                files.save(depth, path)
            source = FolderSource(self.root, "train")
            heat = DenseRegression("heat", maximum=900.0)
            _, y, _ = next(iter(pipeline(source, [heat])))
        self.assertEqual(source.columns[-1], "heat")
        self.assertAllClose(y["heat"][..., 0], written["depth"] / 10)

    @parameterized.parameters("jpg", "JPEG", "png")
    def test_suffixes_of_images(self, suffix):
        files.write_folder(self.root, suffix=suffix)
        (self.root / "train" / "image" / "notes.txt").touch()
        source = FolderSource(self.root, "train")
        self.assertEqual(source.num_images, 3)
        self.assertEqual(
            source.file(2, "image"),
            str(self.root / "train" / "image" / f"002.{suffix}"),
        )
        self.assertEqual(
            source.file(2, "depth"),
            str(self.root / "train" / "depth" / "002.png"),
        )

    def test_no_images(self):
        (self.root / "val" / "image").mkdir(parents=True)
        for split in ("val", "missing"):
            message = f"No images in .*{split}.*ROOT/SPLIT/image/NAME.jpg"
            with self.assertRaisesRegex(ValueError, message):
                FolderSource(self.root, split)

    def test_unlabelled_annotations_need_no_file(self):
        files.write_folder(self.root)
        labels = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
        files.path(self.root, "train", "depth", 1).unlink()
        source = FolderSource(self.root, "train")
        tasks = files.make_tasks()
        _, y, weights = next(iter(pipeline(source, tasks, labels)))
        self.assertAllEqual(weights["depth"], [1, 0, 1])
        self.assertAllEqual(y["depth"][1], np.zeros((*files.SIZE, 1)))
        self.assertGreater(np.max(y["depth"][0]), 0)
        with self.assertRaises(tf.errors.NotFoundError):
            next(iter(pipeline(source, tasks, labels="full")))

    def test_labels_are_those_that_there_are(self):
        files.write_folder(self.root)
        files.path(self.root, "train", "depth", 1).unlink()
        files.path(self.root, "train", "normals", 0).unlink()
        source = FolderSource(self.root, "train")
        _, _, weights = next(iter(pipeline(source, files.make_tasks())))
        self.assertAllEqual(weights["segmentation"], [1, 1, 1])
        self.assertAllEqual(weights["depth"], [1, 0, 1])
        self.assertAllEqual(weights["normals"], [0, 1, 1])

    def test_an_annotation_of_no_image_is_warned_of(self):
        files.write_folder(self.root)
        path = files.path(self.root, "train", "depth", 1)
        path.rename(path.with_stem("room"))
        source = FolderSource(self.root, "train")
        message = "train/depth has annotations of no image: 1 files.*room.png"
        with self.assertWarnsRegex(UserWarning, message):
            found = source.annotated("depth")
        self.assertAllEqual(found, [True, False, True])

    def test_images_of_one_name(self):
        files.write_folder(self.root)
        image = files.path(self.root, "train", "image", 1)
        image.with_suffix(".jpg").write_bytes(image.read_bytes())
        with self.assertRaisesRegex(ValueError, "2 images in .* called 001"):
            FolderSource(self.root, "train")

    def test_an_annotation_of_another_size_is_named_in_training(self):
        files.write_folder(self.root)
        where = files.path(self.root, "train", "depth", 2)
        files.save(np.full((4, 4), 900, "uint16"), where)
        data = pipeline(FolderSource(self.root, "train"), files.make_tasks())
        message = r"depth must have shape \(8, 12, 1\).*4 4 1.*002"
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            next(iter(data))
