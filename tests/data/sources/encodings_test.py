import io

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image

from jtr_keras.data.sources.encodings import ENCODINGS, decode
from jtr_keras.data.sources.rooms_source import RoomsSource
from tests.testing import TestCase


def encode(values, dtype="uint8", kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(np.array(values, dtype)).save(buffer, kind, quality=100)
    return buffer.getvalue()


class DecodeTest(TestCase):
    def test_image(self):
        pixels = [[[0, 51, 255], [102, 204, 153]]]
        expected = np.array([[[0, 0.2, 1], [0.4, 0.8, 0.6]]])
        self.assertAllClose(decode("image", encode(pixels)), expected)

    def test_image_may_be_jpeg_or_grey(self):
        jpeg = encode(np.full((8, 8, 3), 102), kind="JPEG")
        self.assertAllClose(decode("image", jpeg), np.full((8, 8, 3), 0.4))
        grey = encode([[0, 255]])
        self.assertAllEqual(decode("image", grey), [[[0] * 3, [1] * 3]])

    def test_segmentation(self):
        labels = decode("segmentation", encode([[0, 12, 255, 254]]))
        self.assertAllEqual(labels, [[[0], [12], [-1], [254]]])
        self.assertEqual(labels.dtype, tf.int32)

    def test_depth_is_millimetres_of_16_bits(self):
        depth = decode("depth", encode([[0, 1, 2500, 65535]], "uint16"))
        self.assertAllClose(depth, [[[0], [0.001], [2.5], [65.535]]])

    def test_normals(self):
        colours = [[[255, 128, 128], [128, 1, 128], [128] * 3, [204, 128, 27]]]
        expected = np.array([[[1, 0, 0], [0, -1, 0], [0] * 3, [76, 0, -101]]])
        expected = expected / [[[1], [1], [1], [np.hypot(76, 101)]]]
        self.assertAllClose(decode("normals", encode(colours)), expected)

    @parameterized.parameters(
        "edge_texture", "edge_occlusion", "reshading", "keypoints2d"
    )
    def test_unit(self, name):
        values = decode(name, encode([[0, 51, 255]]))
        self.assertAllClose(values, [[[0], [0.2], [1]]])

    def test_curvature(self):
        colours = [[[128, 255, 9], [1, 128, 0], [0, 0, 0], [0, 0, 1]]]
        curvature = decode("principal_curvature", encode(colours)).numpy()
        expected = [[0, 20], [-20, 0], [np.nan] * 2, [-128 / 127 * 20] * 2]
        np.testing.assert_allclose(curvature[0], expected, rtol=1e-6)

    @parameterized.parameters(
        ("segmentation", np.ones((2, 3, 3)), "uint8", "8 bit grey"),
        ("segmentation", np.ones((2, 3)), "uint16", "8 bit grey"),
        ("depth", np.ones((2, 3)), "uint8", "16 bit grey"),
        ("normals", np.ones((2, 3)), "uint8", "8 bit RGB"),
    )
    def test_other_kinds_of_png_are_refused(self, name, values, dtype, kind):
        message = f"expected a PNG of {kind}"
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            decode(name, encode(values, dtype))

    def test_a_palette_is_refused(self):
        buffer = io.BytesIO()
        image = Image.fromarray(np.ones((2, 3), "uint8"))
        image.convert("P").save(buffer, "PNG")
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "palette"):
            decode("segmentation", buffer.getvalue())

    @parameterized.parameters(*ENCODINGS)
    def test_channels(self, name):
        encoding = ENCODINGS[name]
        shape = (2, 3) if encoding.file_channels == 1 else (2, 3, 3)
        image = encode(np.ones(shape), encoding.dtype.name)
        self.assertEqual(decode(name, image).shape, (2, 3, encoding.channels))
        self.assertIn(name, RoomsSource.columns)
