import pathlib

import numpy as np
import tensorflow as tf

from jtr_keras.data import nyuv2_source
from jtr_keras.data.sources.npy_source import classes, values, vectors
from tests.data import files
from tests.testing import TestCase


class NpySourceTest(TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.get_temp_dir())

    def test_images_are_in_the_order_of_numbers(self):
        written = files.write_npy(self.root, count=12)
        source = nyuv2_source(self.root, "train")
        self.assertEqual(source.names, [str(index) for index in range(12)])
        self.assertEqual(source.size, files.SIZE)
        self.assertEqual(source.columns, files.MAIN)
        folder = str(self.root / "train")
        self.assertTrue(repr(source).startswith(f"NpySource({folder!r}): 12 "))
        image = source.image(tf.constant(10, tf.int64))
        self.assertAllClose(image, written["image"][10], atol=1e-6)

    def test_files(self):
        files.write_npy(self.root)
        source = nyuv2_source(self.root, "train")
        folder = self.root / "train"
        self.assertEqual(source.file(1, "image"), str(folder / "image/1.npy"))
        self.assertEqual(
            source.file(1, "segmentation"), str(folder / "label/1.npy")
        )

    def test_no_images(self):
        message = r"No \.npy files in .*val.*ROOT/SPLIT/image/0\.npy"
        with self.assertRaisesRegex(ValueError, message):
            nyuv2_source(self.root, "val")


class ConversionTest(TestCase):
    def test_classes(self):
        found = classes(np.array([[-1.0, 12.0]]))
        self.assertAllEqual(found, [[[-1], [12]]])
        self.assertEqual(found.dtype, np.int32)

    def test_values_gain_a_channel_once(self):
        for shape in ((2, 3), (2, 3, 1)):
            found = values(np.full(shape, 1.5))
            self.assertAllEqual(found, np.full((2, 3, 1), 1.5))
            self.assertEqual(found.dtype, np.float32)

    def test_vectors(self):
        found = vectors((1, -1, 1))(np.array([[[0.0, 0.6, -0.8]]]))
        self.assertAllClose(found, [[[0.0, -0.6, -0.8]]])
        self.assertEqual(found.dtype, np.float32)
