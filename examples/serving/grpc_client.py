"""Sends a photograph to a model server by gRPC and draws the answer.

Usage: python examples/serving/grpc_client.py MODEL PHOTO OUTPUT [ADDRESS]

MODEL is the served folder, such as savedmodels/rooms, and its name is that of
the model; ADDRESS is localhost:8500 unless given. Needs the extra `serving`.
"""

import pathlib
import sys

import drawing
import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

import jtr_keras as jtr


def main(model, photo, output, address="localhost:8500"):
    content = pathlib.Path(photo).read_bytes()
    request = predict_pb2.PredictRequest()
    request.model_spec.name = pathlib.Path(model).name
    request.model_spec.signature_name = "classes_bytes"
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([content]))
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            response = stub.Predict(request, timeout=60)
        except grpc.RpcError as error:
            sys.exit(f"The server refuses: {error.code()}: {error.details()}")
    tasks = jtr.export.load_tasks(model)
    targets = {
        task.name: task.codec.quantization.dequantize(
            tf.make_ndarray(response.outputs[task.name])
        )
        for task in tasks
    }
    drawing.draw(tasks, content, targets).save(output)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
