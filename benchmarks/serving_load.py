"""Eight clients ask a server for a minute; no request may be lost.

Usage: python -m benchmarks.serving_load [MODEL [SECONDS]]

The server is the test double of tests/export/serving_double.py in a process of
its own: the figures tell of this library's SavedModel behind sockets, not of
TensorFlow Serving. Half of the clients speak gRPC, half REST; each answer is
compared with the first one. The last line is one JSON object.
"""

import base64
import http.client
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import grpc
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

ROOT = pathlib.Path(__file__).parents[1]
SIGNATURE = "serve_bytes"


def load(name, addresses, photo, seconds, clients=8):
    """Counts of requests and answers, and the latencies, in seconds."""
    kinds = [(GrpcClient, RestClient)[i % 2] for i in range(clients)]
    records = [[] for _ in kinds]
    end = time.perf_counter() + seconds

    def run(index):
        client = kinds[index](name, addresses[index % 2], photo)
        first = None
        while time.perf_counter() < end:
            start = time.perf_counter()
            try:
                answer = client.ask()
            except Exception as error:
                records[index].append((time.perf_counter() - start, error))
                continue
            first = answer if first is None else first
            same = all(
                np.allclose(answer[k], first[k], atol=1e-4) for k in first
            )
            problem = None if same else ValueError("another answer")
            records[index].append((time.perf_counter() - start, problem))
        client.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begin
    times = np.array([t for record in records for t, _ in record])
    problems = [p for record in records for _, p in record if p is not None]
    return {
        "clients": clients,
        "seconds": round(elapsed, 1),
        "requests": len(times),
        "lost": len(problems),
        "first_problem": repr(problems[0]) if problems else None,
        "requests_per_s": round(len(times) / elapsed, 2),
        "median_s": round(float(np.median(times)), 4),
        "p95_s": round(float(np.quantile(times, 0.95)), 4),
        "p99_s": round(float(np.quantile(times, 0.99)), 4),
    }


class GrpcClient:
    """Sends the photograph and returns arrays."""

    def __init__(self, name, address, photo):
        self.request = predict_pb2.PredictRequest()
        self.request.model_spec.name = name
        self.request.model_spec.signature_name = SIGNATURE
        proto = tf.make_tensor_proto([photo])
        self.request.inputs["image_bytes"].CopyFrom(proto)
        self.channel = grpc.insecure_channel(address)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(
            self.channel
        )

    def ask(self):
        outputs = self.stub.Predict(self.request, timeout=60).outputs
        return {k: tf.make_ndarray(v)[0] for k, v in outputs.items()}

    def close(self):
        self.channel.close()


class RestClient:
    """The same by REST, over one connection."""

    def __init__(self, name, address, photo):
        image = {"image_bytes": {"b64": base64.b64encode(photo).decode()}}
        body = {"signature_name": SIGNATURE, "instances": [image]}
        self.body = json.dumps(body)
        self.path = f"/v1/models/{name}:predict"
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def ask(self):
        self.connection.request("POST", self.path, self.body)
        response = self.connection.getresponse()
        content = json.loads(response.read())
        if response.status != 200:
            raise ValueError(content["error"])
        return content["predictions"][0]

    def close(self):
        self.connection.close()


def photograph():
    """A JPEG of 512x384 pixels."""
    with Image.open(ROOT / "docs" / "images" / "room.jpg") as image:
        file = io.BytesIO()
        image.resize((512, 384)).save(file, "JPEG")
    return file.getvalue()


def peak_mib(pid):
    """Most memory that a process has held (Linux)."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    kib = next(x for x in status.splitlines() if x.startswith("VmHWM"))
    return int(kib.split()[1]) / 1024


def make_model(folder):
    """An untrained network of the usual size: its speed is that of another."""
    import jtr_keras as jtr

    tasks = jtr.data.DATASETS["rooms"].make_tasks()
    model = jtr.MultiTaskModel(jtr.models.UNet(), tasks, head_filters=16)
    model.export(folder, image_size=(96, 128))


def main(model=None, seconds=60):
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            model = f"{folder}/rooms"
            make_model(model)
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.export.serving_double", model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            addresses = server.stdout.readline().split()
            name = pathlib.Path(model).name
            load(name, addresses, photograph(), 3.0)  # Warm-up.
            result = load(name, addresses, photograph(), float(seconds))
            result["server_peak_mib"] = round(peak_mib(server.pid))
        finally:
            server.communicate()
    print(json.dumps(result))
    return 1 if result["lost"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
