import base64
import contextlib
import json
import pathlib
import runpy
import subprocess
import sys
import urllib.error
import urllib.request
from unittest import mock

import grpc
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from google.protobuf import text_format
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from benchmarks import serving_load
from tests.export import example, serving_double
from tests.testing import TestCase

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "serving"
PHOTO = example.encode(example.images((40, 56), count=1)[0], "JPEG")
FLOATS = [[[[0.5, 0.5, 0.5]] * 4] * 4]

# Name, signature, the input in JSON (files as bytes), what the error says.
WRONG = (
    ("signature", "fly", {"images": FLOATS}, "'fly' not found"),
    ("input", "serve", {"photos": FLOATS}, "images"),
    ("dtype", "serve", {"images": [[[["a", "b", "c"]]]]}, "images"),
    ("shape", "serve", {"images": [[0.5, 0.5, 0.5]]}, "images"),
    ("empty batch", "serve_bytes", {"image_bytes": []}, "batch is empty"),
    (
        "truncated JPEG",
        "serve_bytes",
        {"image_bytes": [PHOTO[: len(PHOTO) // 2]]},
        "(?i)invalid jpeg",
    ),
    (
        "one broken of two",
        "classes_bytes",
        {"image_bytes": [PHOTO, PHOTO[:-200]]},
        "(?i)invalid jpeg",
    ),
    (
        "one pixel",
        "serve_bytes",
        {"image_bytes": [example.encode(np.zeros((1, 1, 3), np.uint8))]},
        "2 pixels high and wide, or more",
    ),
    (
        "10,000 pixels wide",
        "serve_bytes",
        {"image_bytes": [example.encode(np.zeros((2, 10000, 3), np.uint8))]},
        "8192 pixels high and wide, or less",
    ),
    (
        "text file",
        "serve_bytes",
        {"image_bytes": [b"Not a picture.\n"]},
        "Unknown image file format",
    ),
)


class ServingTest(TestCase):
    """The clients against the test double, over sockets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack = contextlib.ExitStack()
        server = serving_double.serve(example.NAME, example.folder() / "1")
        cls.addresses = cls.stack.enter_context(server)
        channel = grpc.insecure_channel(cls.addresses[0])
        channel = cls.stack.enter_context(channel)
        cls.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()
        super().tearDownClass()

    def ask_grpc(self, signature, inputs, name=example.NAME):
        """Outputs; RpcError if the server refuses."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        for key, value in inputs.items():
            empty = tf.string if value == [] else None
            proto = tf.make_tensor_proto(value, empty)
            request.inputs[key].CopyFrom(proto)
        outputs = self.stub.Predict(request, timeout=60).outputs
        return {key: tf.make_ndarray(value) for key, value in outputs.items()}

    def ask_rest(self, signature, inputs, name=example.NAME):
        """Outputs; HTTPError if the server refuses."""
        (key, values) = next(iter(inputs.items()))
        encode = lambda v: {"b64": base64.b64encode(v).decode()}  # noqa: E731
        body = {
            "signature_name": signature,
            "instances": [
                {key: encode(v) if isinstance(v, bytes) else v} for v in values
            ],
        }
        url = f"http://{self.addresses[1]}/v1/models/{name}:predict"
        data = json.dumps(body).encode()
        with urllib.request.urlopen(url, data, timeout=60) as response:
            rows = json.load(response)["predictions"]
        return {key: np.array([row[key] for row in rows]) for key in rows[0]}

    def assert_answers(self):
        """The server is alive, and right, on both sides."""
        signatures = example.loaded().signatures
        floats, files = tf.constant(FLOATS), tf.constant([PHOTO, PHOTO])
        for signature, key, value, expected in (
            ("", "images", FLOATS, signatures["serving_default"](floats)),
            (
                "serve_bytes",
                "image_bytes",
                [PHOTO, PHOTO],
                signatures["serve_bytes"](files),
            ),
        ):
            for ask in (self.ask_grpc, self.ask_rest):
                found = ask(signature, {key: value})
                self.assertEqual(set(found), set(expected))
                for name, array in expected.items():
                    self.assertAllClose(found[name], array, atol=1e-5)

    @parameterized.named_parameters(*WRONG)
    def test_wrong_requests(self, signature, inputs, message):
        with self.assertRaises(grpc.RpcError) as caught:
            self.ask_grpc(signature, inputs)
        error = caught.exception
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertRegex(error.details(), message)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.ask_rest(signature, inputs)
        with caught.exception as error:
            self.assertEqual(error.code, 400)
            self.assertRegex(json.load(error)["error"], message)
        self.assert_answers()

    def test_small_answers_need_grpc(self):
        inputs = {"image_bytes": [PHOTO]}
        expected = example.loaded().signatures["classes_bytes"](
            tf.constant([PHOTO])
        )
        found = self.ask_grpc("classes_bytes", inputs)
        for name, value in expected.items():
            self.assertEqual(found[name].dtype, value.dtype.as_numpy_dtype)
            self.assertAllEqual(found[name], value)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.ask_rest("classes_bytes", inputs)
        with caught.exception as error:
            self.assertIn("uint16", json.load(error)["error"])

    def test_wrong_model(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.ask_grpc("serve", {"images": FLOATS}, name="other")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.ask_rest("serve", {"images": FLOATS}, name="other")
        with caught.exception as error:
            self.assertEqual(error.code, 404)

    def test_clients_draw_the_answer(self):
        folder = pathlib.Path(self.get_temp_dir())
        (folder / "photo.jpg").write_bytes(PHOTO)
        for program, run, address in (
            ("grpc_client.py", self.run_process, self.addresses[0]),
            ("rest_client.py", self.run_here, self.addresses[1]),
        ):
            output = folder / f"{program}.png"
            arguments = [example.folder(), folder / "photo.jpg", output]
            run(program, *arguments, address)
        pictures = []
        for program in ("grpc_client.py", "rest_client.py"):
            with Image.open(folder / f"{program}.png") as picture:
                pictures.append(np.asarray(picture))
        pictures = np.stack(pictures)
        height, width = example.SIZE
        self.assertEqual(pictures[0].shape, (height + 14, 5 * width + 8, 3))
        self.assertGreater(pictures[0][14:].std(), 10.0)
        # Below the titles.
        self.assertAllClose(*pictures[:, 14:].astype(int), atol=3)

    def test_client_tells_the_error(self):
        text = pathlib.Path(self.get_temp_dir()) / "photo.jpg"
        text.write_text("Not a picture.")
        message = "server refuses: .*Unknown image file"
        with self.assertRaisesRegex(SystemExit, message):
            self.run_here(
                "rest_client.py", example.folder(), text, "x", self.addresses[1]
            )

    def run_process(self, program, *arguments):
        """Runs a client as a user does."""
        done = subprocess.run(
            [sys.executable, EXAMPLES / program, *map(str, arguments)],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def run_here(self, program, *arguments):
        """The same in this process, which has TensorFlow already."""
        with (
            mock.patch.object(sys, "argv", [program, *map(str, arguments)]),
            mock.patch.object(sys, "path", [str(EXAMPLES), *sys.path]),
        ):
            runpy.run_path(str(EXAMPLES / program), run_name="__main__")

    def test_eight_clients_lose_nothing(self):
        # For a minute: python -m benchmarks.serving_load
        found = serving_load.load(
            example.NAME, self.addresses, PHOTO, seconds=1.5
        )
        self.assertEqual(found["lost"], 0, found["first_problem"])
        self.assertGreaterEqual(found["requests"], 8)
        self.assertGreater(found["requests_per_s"], 0.0)

    def test_the_load_counts_what_is_lost(self):
        found = serving_load.load(
            example.NAME, self.addresses, b"no photo", seconds=0.2
        )
        self.assertEqual(found["lost"], found["requests"])
        self.assertIn("Unknown image", found["first_problem"])


class ConfigurationTest(TestCase):
    def test_model_configuration(self):
        config = model_server_config_pb2.ModelServerConfig()
        text_format.Parse((EXAMPLES / "models.config").read_text(), config)
        (model,) = config.model_config_list.config
        self.assertEqual(model.name, "rooms")
        self.assertEqual(model.base_path, "/models/rooms")
