import numpy as np
import tensorflow as tf

from jtr_keras.tasks import DenseRegression, Depth, SemanticSegmentation
from tests.data import files
from tests.data.files import NamesSource
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
