import json
import pathlib
import sys
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from tensorflow_serving.apis import prediction_log_pb2

import jtr_keras as jtr
from jtr_keras.export import warmup
from jtr_keras.export.model_card import model_card
from tests.export import example
from tests.testing import TestCase


def serve(signature, **inputs):
    saved = example.loaded()
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    return {
        name: value.numpy()
        for name, value in saved.signatures[signature](**tensors).items()
    }


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
        expected = example.model().predict(floats, verbose=0)
        self.assertEqual(expected["depth"].shape, (3, height, width, 1))
        for signature in ("serving_default", "serve"):
            self.assert_outputs(serve(signature, images=floats), expected)
        found = serve("serve_uint8", images=integers)
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
        expected = example.model().predict(inputs, verbose=0)
        found = serve("serve_bytes", image_bytes=np.array(files, object))
        self.assert_outputs(found, expected)

    def test_large_photographs_are_smoothed(self):
        stripes = np.zeros((16 * 24, 16 * 32, 3), np.uint8)
        stripes[::2] = 255
        grey = np.full((1, *example.SIZE, 3), 0.5)
        expected = example.model().predict(grey, verbose=0)
        files = np.array([example.encode(stripes)], object)
        found = serve("serve_bytes", image_bytes=files)
        self.assertAllClose(found["depth"], expected["depth"], atol=1e-3)

    def test_small_answers(self):
        floats = example.images().astype("float32") / 255
        predictions = example.model().predict(floats, verbose=0)
        found = serve("classes", images=floats)
        labels = np.argmax(predictions["segmentation"], axis=-1)
        self.assertDType(found["segmentation"], "uint8")
        self.assertAllEqual(found["segmentation"][..., 0], labels)
        self.assertDType(found["depth"], "uint16")
        millimetres = np.round(1000 * np.maximum(predictions["depth"], 0))
        self.assertAllClose(found["depth"], millimetres, atol=1)
        self.assertDType(found["normals"], "uint8")
        for task in example.model().tasks:
            self.assertAllClose(
                task.draw(task.expand(found[task.name])[0], True),
                task.draw(predictions[task.name][0], True),
                atol=3,
            )
        files = np.array([example.encode(example.images()[0])], object)
        found = serve("classes_bytes", image_bytes=files)
        exact = serve("serve_bytes", image_bytes=files)
        for task in example.model().tasks:
            self.assertAllEqual(
                found[task.name], task.compact(exact[task.name])
            )

    @parameterized.named_parameters(
        ("empty batch", "serve", np.zeros((0, 8, 8, 3)), "batch is empty"),
        ("one pixel", "serve", np.zeros((1, 1, 1, 3)), "2 pixels high"),
        ("one row", "classes", np.zeros((1, 1, 9, 3)), "2 pixels high"),
        ("huge", "serve", np.zeros((1, 2, 10000, 3)), "8192 pixels high"),
    )
    def test_extreme_images_are_refused(self, signature, images, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            serve(signature, images=images.astype("float32"))

    def test_keras_loads_it_as_a_layer(self):
        layer = keras.layers.TFSMLayer(str(example.folder() / "1"))
        floats = example.images().astype("float32") / 255
        expected = example.model().predict(floats, verbose=0)
        self.assert_outputs(
            {name: value.numpy() for name, value in layer(floats).items()},
            expected,
        )


class FolderTest(TestCase):
    def extra(self, name):
        return example.folder() / "1" / "assets.extra" / name

    def test_metadata(self):
        metadata = json.loads(self.extra("metadata.json").read_text())
        tasks = {task["name"]: task for task in metadata["tasks"]}
        self.assertEqual(
            list(tasks), [task.name for task in example.model().tasks]
        )
        self.assertEqual(tasks["segmentation"]["classes"], ["0", "1", "2"])
        self.assertEqual(
            tasks["segmentation"]["colours"], jtr.ops.palette(3).tolist()
        )
        self.assertEqual(tasks["depth"]["unit"], "metre")
        self.assertEqual(tasks["normals"]["range"], [-1.0, 1.0])
        self.assertEqual(metadata["images"]["image_size"], [24, 32])
        self.assertEqual(metadata["metrics"], example.METRICS)
        training = metadata["training"]
        self.assertEqual(training["flags"], {"epochs": 1})
        self.assertEqual(training["optimizer"]["class_name"], "SGD")
        self.assertEqual(
            training["regularization"]["class_name"], "JointTaskRegularization"
        )
        self.assertEqual(metadata["versions"]["keras"], keras.__version__)
        self.assertEqual(metadata["network"]["dtype_policy"], "float32")

    def test_metadata_tells_the_signatures(self):
        metadata = json.loads(self.extra("metadata.json").read_text())
        saved = example.loaded()
        self.assertEqual(
            set(metadata["signatures"]) | {"serving_default"},
            set(saved.signatures),
        )
        for name, told in metadata["signatures"].items():
            function = saved.signatures[name]
            specs = function.structured_input_signature[1]
            for given, real in (
                (told["inputs"], specs),
                (told["outputs"], function.structured_outputs),
            ):
                self.assertEqual(
                    {k: (v["dtype"], v["shape"]) for k, v in given.items()},
                    {
                        k: (v.dtype.name, v.shape.as_list())
                        for k, v in real.items()
                    },
                )

    def test_model_card(self):
        card = self.extra("model_card.md").read_text()
        for text in (
            "# toy\n",
            "| `depth` | 1 | depth | metre |",
            "24x32",
            "`depth_abs_err` | 0.5000",
            "`flags.epochs` | `1`",
            "`optimizer` | `SGD`",
            "`serve_bytes` | `image_bytes` |",
        ):
            self.assertIn(text, card)

    def test_nothing_is_claimed_that_is_not_known(self):
        metadata = json.loads(self.extra("metadata.json").read_text())
        metadata |= {"metrics": None, "training": None}
        card = model_card("x", metadata)
        self.assertEqual(card.count("Not recorded."), 2)

    def test_warm_up_requests_run(self):
        saved = example.loaded()
        records = list(tf.data.TFRecordDataset(str(self.extra(warmup.FILE))))
        ran = []
        for record in records:
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            self.assertEqual(request.model_spec.name, "toy")
            ran.append(request.model_spec.signature_name)
            inputs = {
                name: tf.constant(tf.make_ndarray(proto))
                for name, proto in request.inputs.items()
            }
            outputs = saved.signatures[ran[-1]](**inputs)
            self.assertEqual(outputs["depth"].shape, (1, 24, 32, 1))
        self.assertEqual(set(ran) | {"serving_default"}, set(saved.signatures))

    def test_warm_up_without_the_extra(self):
        folder = pathlib.Path(self.get_temp_dir()) / "toy"
        absent = {"tensorflow_serving": None, "tensorflow_serving.apis": None}
        with (
            mock.patch.dict(sys.modules, absent),
            self.assertRaises(ImportError),
        ):
            example.model().export(folder, warmup=True)
        self.assertEmpty(list(folder.iterdir()))
        with mock.patch.object(warmup, "can_write_warmup", return_value=False):
            path = example.model().export(folder)
        self.assertFalse((path / "assets.extra" / warmup.FILE).exists())
        self.assertTrue((path / "assets.extra" / "metadata.json").exists())


class SavedPredictorTest(TestCase):
    def test_tasks_and_predictions(self):
        saved = jtr.export.SavedPredictor(example.folder())
        self.assertEqual(saved.path, example.folder() / "1")
        for found, task in zip(saved.tasks, example.model().tasks, strict=True):
            self.assertIs(type(found), type(task))
            self.assertEqual(found.get_config(), task.get_config())
        floats = example.images().astype("float32") / 255
        expected = example.model().predict(floats, verbose=0)
        for name, value in saved(floats).items():
            self.assertAllClose(value, expected[name], atol=1e-5)

    def test_models_of_others(self):
        with self.assertRaisesRegex(ValueError, "no SavedModel in"):
            jtr.export.SavedPredictor(self.get_temp_dir())
        folder = pathlib.Path(self.get_temp_dir()) / "1"
        tf.saved_model.save(tf.Module(), str(folder))
        with self.assertRaisesRegex(ValueError, "not exported by this lib"):
            jtr.export.SavedPredictor(folder)


class ImageSizeTest(TestCase):
    def test_size_of_the_training_images(self):
        self.assertEqual(tuple(example.model().image_size), (16, 16))
        config = example.model().get_config()
        self.assertEqual(config["image_size"], [16, 16])
