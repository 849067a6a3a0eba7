"""Requests that a server runs before it says that a model is ready."""

import importlib.util
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.export.signatures import Signature

FILE = "tf_serving_warmup_requests"


def can_write_warmup() -> bool:
    """Whether the optional package for it is installed."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def write_warmup(
    path: pathlib.Path,
    name: str,
    signatures: Mapping[str, Signature],
    image_size: tuple[int, int],
) -> None:
    """Writes one request a signature as a TFRecord of `PredictionLog`.

    The first request after a start would otherwise wait for memory and
    optimized kernels, a second or more.

    Args:
        path: The file.
        name: Name of the model.
        signatures: The signatures by name.
        image_size: Height and width of the image in each request.
    """
    # Imported here, since the package is optional.
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as writer:
        for key, signature in signatures.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = key
            request.inputs[signature.spec.name].CopyFrom(
                tf.make_tensor_proto(example(signature.spec, image_size))
            )
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def example(spec: tf.TensorSpec, image_size: tuple[int, int]) -> Any:
    """A batch of one grey image in the form that a signature expects."""
    grey = np.full((*image_size, 3), 128, np.uint8)
    if spec.dtype == tf.string:
        return np.array([tf.io.encode_jpeg(grey).numpy()], object)
    return (grey / 255 if spec.dtype.is_floating else grey)[None].astype(
        spec.dtype.as_numpy_dtype
    )
