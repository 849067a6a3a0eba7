import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.data import SourceSlice
from jtr_keras.data.datasets.datasets import get_dataset
from jtr_keras.data.sources.source_slice import parse_split
from tests import toy
from tests.data.source import RandomSource
from tests.testing import TestCase


class SourceSliceTest(TestCase):
    def test_reads_what_lies_behind_its_beginning(self):
        source = RandomSource(5)
        part = SourceSlice(source, 2, 4)
        self.assertEqual(part.names, ["2", "3"])
        self.assertEqual(part.num_images, 2)
        self.assertEqual(part.file(1, "depth"), source.file(3, "depth"))
        for index in (0, 1):
            self.assertAllEqual(
                part.image(tf.constant(index)), source.image(index + 2)
            )
        part.require(toy.make_tasks())

    def test_without_images_there_is_no_slice(self):
        with self.assertRaisesRegex(
            ValueError, r"\[7:9\] of 5 images is empty"
        ):
            SourceSlice(RandomSource(5), 7, 9)

    @parameterized.parameters(
        ("val", ("val", None, None)),
        ("train[:700]", ("train", None, 700)),
        ("train[700:]", ("train", 700, None)),
        ("train[3:14]", ("train", 3, 14)),
    )
    def test_splits_are_written_as_in_tfds(self, split, expected):
        self.assertEqual(parse_split(split), expected)

    @parameterized.parameters("train[", "train[1]", "[:3]", "train[:-1]")
    def test_other_forms_are_refused(self, split):
        with self.assertRaisesRegex(ValueError, "`split` must be a name"):
            parse_split(split)

    def test_held_out_images_are_not_augmented_when_asked(self):
        rooms = get_dataset("rooms")
        tasks = rooms.make_tasks(["depth"])
        data = rooms.load("", "train[798:]", tasks, training=False)
        images, _, _ = next(iter(data))
        whole = rooms.source("", "train")
        self.assertAllClose(
            images, np.stack([whole.image(798), whole.image(799)])
        )
