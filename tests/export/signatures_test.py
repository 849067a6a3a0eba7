import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.visualization import paint
from tests.export import example
from tests.testing import TestCase


class SignaturesTest(TestCase):
    def assert_outputs(self, found, expected, atol=1e-5):
        self.assertEqual(set(found), set(expected))
        for name, value in expected.items():
            self.assertDType(found[name], "float32")
            self.assertAllClose(found[name], value, atol=atol, msg=name)

    @parameterized.parameters((21, 30), (16, 16), (2, 3), (33, 7))
    def test_floats_of_any_size(self, height, width):
        integers = example.images((height, width), count=3)
        floats = integers.astype("float32") / 255
        expected = example.predict(floats)
        self.assertEqual(expected["depth"].shape, (3, height, width, 1))
        for signature in ("serving_default", "serve"):
            self.assert_outputs(
                example.serve(signature, images=floats), expected
            )
        found = example.serve("serve_uint8", images=integers)
        self.assert_outputs(found, expected)

    def test_files_of_several_kinds_and_sizes(self):
        # Of the model's size: nothing but decoding may change.
        exact = example.images(example.SIZE, count=1)[0]
        other = example.images((50, 41), count=1)[0]
        files = [
            example.encode(exact),
            example.encode(other, "JPEG"),
            example.encode(exact[..., 0]),  # Grey.
            example.encode(np.dstack([exact, exact[..., :1]])),  # Transparent.
        ]
        # Pillow would round its colours differently.
        decoded = tf.cast(tf.io.decode_jpeg(files[1]), "float32") / 255
        grey = np.repeat(exact[..., :1], 3, axis=-1) / 255
        inputs = np.stack(
            [
                exact / 255,
                tf.image.resize(decoded, example.SIZE, antialias=True),
                grey,
                exact / 255,
            ]
        )
        expected = example.predict(inputs)
        found = example.serve(
            "serve_bytes", image_bytes=np.array(files, object)
        )
        self.assert_outputs(found, expected)

    def test_large_photographs_are_smoothed(self):
        stripes = np.zeros((16 * 24, 16 * 32, 3), np.uint8)
        stripes[::2] = 255
        grey = np.full((1, *example.SIZE, 3), 0.5)
        expected = example.predict(grey)
        files = np.array([example.encode(stripes)], object)
        found = example.serve("serve_bytes", image_bytes=files)
        self.assertAllClose(found["depth"], expected["depth"], atol=1e-3)

    def test_small_answers(self):
        floats = example.images().astype("float32") / 255
        predictions = example.predict(floats)
        found = example.serve("classes", images=floats)
        labels = np.argmax(predictions["segmentation"], axis=-1)
        self.assertDType(found["segmentation"], "uint8")
        self.assertAllEqual(found["segmentation"][..., 0], labels)
        self.assertDType(found["depth"], "uint16")
        millimetres = np.round(1000 * np.maximum(predictions["depth"], 0))
        self.assertAllClose(found["depth"], millimetres, atol=1)
        self.assertDType(found["normals"], "uint8")
        for task in example.model().tasks:
            quantization = task.codec.quantization
            self.assertAllClose(
                paint(task, quantization.dequantize(found[task.name])[0]),
                paint(task, predictions[task.name][0], predicted=True),
                atol=3,
            )
        files = np.array([example.encode(example.images()[0])], object)
        found = example.serve("classes_bytes", image_bytes=files)
        exact = example.serve("serve_bytes", image_bytes=files)
        for task in example.model().tasks:
            self.assertAllEqual(
                found[task.name], task.codec.quantize(exact[task.name])
            )

    @parameterized.named_parameters(
        ("empty batch", "serve", np.zeros((0, 8, 8, 3)), "batch is empty"),
        ("one pixel", "serve", np.zeros((1, 1, 1, 3)), "2 pixels high"),
        ("one row", "classes", np.zeros((1, 1, 9, 3)), "2 pixels high"),
        ("huge", "serve", np.zeros((1, 2, 10000, 3)), "8192 pixels high"),
    )
    def test_extreme_images_are_refused(self, signature, images, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            example.serve(signature, images=images.astype("float32"))
