import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.data import SourceSlice
from jtr_keras.data.sources.source import parse_split
from jtr_keras.tasks import DenseRegression, Depth, SemanticSegmentation
from tests import toy
from tests.data import files
from tests.data.files import NamesSource
from tests.data.source import RandomSource
from tests.testing import TestCase


class FixedSource(NamesSource):
    """Returns whatever it is made with."""

    def __init__(self, value):
        super().__init__(1)
        self.value = value

    def read(self, index, name):
        return tf.constant(self.value)


class SourceTest(TestCase):
    def test_number_of_images(self):
        self.assertEqual(NamesSource(7).num_images, 7)

    def test_prints_what_it_holds(self):
        self.assertEqual(
            repr(NamesSource(7)),
            "NamesSource('nowhere'): 7 images of 8x12 with segmentation, "
            "depth, normals",
        )

    def test_target_has_the_dtype_of_its_task(self):
        source = FixedSource(np.full((*files.SIZE, 1), 3, "uint8"))
        task = SemanticSegmentation(num_classes=4)
        self.assertEqual(source.target(0, task).dtype, tf.int32)
        self.assertEqual(source.target(0, Depth(1.0, 1.0)).dtype, tf.float32)

    def test_unexpected_shapes_are_errors(self):
        source = FixedSource(np.zeros((4, 4, 3), "float32"))
        with self.assertRaises((ValueError, tf.errors.InvalidArgumentError)):
            source.image(0)
        with self.assertRaises((ValueError, tf.errors.InvalidArgumentError)):
            source.target(0, Depth(1.0, 1.0))

    def test_required_annotations(self):
        source = NamesSource(1)
        source.require(files.make_tasks())
        message = (
            r"called 'edges' for image.*\['depth', 'normals', 'segmentation'\]"
        )
        with self.assertRaisesRegex(ValueError, message):
            source.require([DenseRegression("edges")])
        message = "'normals' have 3 channels; the task expects 2"
        with self.assertRaisesRegex(ValueError, message):
            source.require([DenseRegression("normals", channels=2)])


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

    def test_prints_where_it_is(self):
        part = SourceSlice(NamesSource(5), None, 2)
        self.assertEqual(
            repr(part),
            "SourceSlice('nowhere[:2]'): 2 images of 8x12 with segmentation, "
            "depth, normals",
        )

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
