"""A test double of TensorFlow Serving, which no package index has.

It speaks the server's two protocols over real sockets and runs the SavedModel
as TensorFlow does; it has no batching, no versions, no hurry.

Usage: python -m tests.export.serving_double MODEL; prints its two ports.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import re
import sys
import threading

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

UNLIMITED = [("grpc.max_receive_message_length", -1)]


class RefusedError(Exception):
    """A request that cannot be answered; the message goes to the client."""

    def __init__(self, message, code=grpc.StatusCode.INVALID_ARGUMENT):
        super().__init__(message)
        self.code = code


class ModelTestDouble:
    """Runs the signatures of one SavedModel."""

    def __init__(self, name, folder):
        self.name = name
        self.loaded = tf.saved_model.load(str(folder))

    def specs(self, name, signature):
        if name != self.name:
            raise RefusedError(
                f"Servable not found: {name}", grpc.StatusCode.NOT_FOUND
            )
        signature = signature or "serving_default"
        if signature not in self.loaded.signatures:
            raise RefusedError(
                f"Serving signature name: {signature!r} not found"
            )
        function = self.loaded.signatures[signature]
        return function, function.structured_input_signature[1]

    def predict(self, name, signature, inputs):
        """Arrays by output name; RefusedError with a reason."""
        function, specs = self.specs(name, signature)
        if set(inputs) != set(specs):
            raise RefusedError(
                f"Inputs must be {sorted(specs)}; got {sorted(inputs)}"
            )
        for key, value in inputs.items():
            tensor = tf.constant(value)
            spec = specs[key]
            if tensor.dtype != spec.dtype:
                raise RefusedError(
                    f"{key} expects {spec.dtype.name}; got {tensor.dtype.name}"
                )
            if not spec.shape.is_compatible_with(tensor.shape):
                raise RefusedError(
                    f"{key} expects {spec.shape}; got {tensor.shape}"
                )
            inputs[key] = tensor
        try:
            outputs = function(**inputs)
        except tf.errors.InvalidArgumentError as error:
            raise RefusedError(error.message) from error
        return {key: value.numpy() for key, value in outputs.items()}


class PredictionServiceTestDouble(
    prediction_service_pb2_grpc.PredictionServiceServicer
):
    """The gRPC side."""

    def __init__(self, model):
        self.model = model

    def Predict(self, request, context):  # noqa: N802 - the protocol's name
        spec = request.model_spec
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        try:
            outputs = self.model.predict(spec.name, spec.signature_name, inputs)
        except RefusedError as refused:
            context.abort(refused.code, str(refused))
        response = predict_pb2.PredictResponse()
        for key, value in outputs.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response


class RestTestDouble(http.server.BaseHTTPRequestHandler):
    """The REST side: `instances` in, `predictions` out."""

    protocol_version = "HTTP/1.1"
    model: ModelTestDouble

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self._answer(200, {"predictions": self._predict(body)})
        except RefusedError as refused:
            missing = refused.code == grpc.StatusCode.NOT_FOUND
            self._answer(404 if missing else 400, {"error": str(refused)})

    def _predict(self, body):
        match = re.fullmatch(r"/v1/models/([^/:]+):predict", self.path)
        if not match:
            raise RefusedError(f"Malformed request: POST {self.path}")
        try:
            request = json.loads(body)
            rows = request["instances"]
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedError(f"JSON Parse error: {error!r}") from error
        name, signature = match[1], request.get("signature_name")
        _, specs = self.model.specs(name, signature)
        inputs = {key: _tensor(rows, spec) for key, spec in specs.items()}
        outputs = self.model.predict(name, signature, inputs)
        for value in outputs.values():
            if value.dtype == np.uint16:  # As in the server's json_tensor.cc.
                raise RefusedError(
                    "Failed to write JSON value for tensor type: uint16"
                )
        count = len(next(iter(outputs.values())))
        return [
            {key: value[row].tolist() for key, value in outputs.items()}
            for row in range(count)
        ]

    def _answer(self, status, content):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


def _tensor(rows, spec):
    """JSON rows as an array of the signature's dtype."""
    try:
        values = [
            row[spec.name] if isinstance(row, dict) else row for row in rows
        ]
        if spec.dtype == tf.string:
            return np.array(
                [
                    base64.b64decode(value["b64"], validate=True)
                    for value in values
                ],
                object,
            )
        return np.array(values, spec.dtype.as_numpy_dtype)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RefusedError(
            f"JSON does not fit the input {spec.name}: {error!r}"
        ) from error


@contextlib.contextmanager
def serve(name, folder):
    """Serves a SavedModel; yields the addresses of gRPC and REST."""
    model = ModelTestDouble(name, folder)
    threads = concurrent.futures.ThreadPoolExecutor(8)
    server = grpc.server(threads, options=UNLIMITED)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionServiceTestDouble(model), server
    )
    grpc_port = server.add_insecure_port("localhost:0")
    server.start()
    handler = type("Handler", (RestTestDouble,), {"model": model})
    rest = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    rest.daemon_threads = True
    thread = threading.Thread(target=rest.serve_forever)
    thread.start()
    try:
        yield f"localhost:{grpc_port}", f"localhost:{rest.server_address[1]}"
    finally:
        rest.shutdown()
        thread.join()
        rest.server_close()
        server.stop(None).wait()
        threads.shutdown()


def main(model):
    path = pathlib.Path(model)
    version = max(int(p.name) for p in path.iterdir() if p.name.isdecimal())
    with serve(path.name, path / str(version)) as addresses:
        print(*addresses, flush=True)
        sys.stdin.read()  # Until whoever started it closes the pipe.


if __name__ == "__main__":
    main(*sys.argv[1:])
