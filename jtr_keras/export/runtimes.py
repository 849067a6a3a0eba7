"""Exported files as Python functions, to compare them with the network."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.export.metadata import load_tasks, read_metadata
from jtr_keras.export.publishing import PathLike, find_saved_model
from jtr_keras.types import Tensor, TensorDict

Arrays = dict[str, Any]
Run = Callable[[Any], Arrays]
"""From float images `(batch, height, width, 3)` to a dict of arrays."""


class SavedPredictor:
    """A SavedModel of this library with the tasks that it predicts.

    Args:
        path: `NAME/VERSION`, or `NAME` for its highest version.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)` in `[0, 1]`.

    Returns:
        Dict of predictions by task name, as of the network.

    Raises:
        ValueError: If there is no SavedModel or it is not of this library.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = find_saved_model(path)
        self.metadata = read_metadata(self.path)
        self.tasks = load_tasks(self.path)
        # Kept, since its functions do not outlive it.
        self._loaded = tf.saved_model.load(str(self.path))

    def __repr__(self) -> str:
        names = [task.name for task in self.tasks]
        return f"SavedPredictor({str(self.path)!r}, tasks={names})"

    def __call__(self, images: Tensor) -> TensorDict:
        images = tf.convert_to_tensor(images, tf.float32)
        outputs: TensorDict = self._loaded.signatures["serving_default"](
            images=images
        )
        return outputs


def run_saved_model(path: pathlib.Path) -> Run:
    """A SavedModel, run by TensorFlow."""
    predictor = SavedPredictor(path)
    return lambda images: _arrays(predictor(images))


def run_onnx(path: pathlib.Path) -> Run:
    """An ONNX file, run by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(path), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(
        zip(names, session.run(names, {"images": images}), strict=True)
    )


def run_openvino(path: pathlib.Path) -> Run:
    """An OpenVINO file or a SavedModel, run by OpenVINO without TensorFlow."""
    import openvino

    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": "f32"}  # Else bfloat16 on new CPUs.
    model = core.compile_model(str(path), "CPU", options)

    def run(images: Any) -> Arrays:
        outputs = model({"images": images})
        # An output can have further names, of operations.
        return {
            name: np.array(values)
            for output, values in outputs.items()
            for name in output.names
        }

    return run


def run_litert(path: pathlib.Path) -> Run:
    """A LiteRT file, run by its interpreter; one image of its size a call."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner()

    def run(images: Any) -> Arrays:
        each = [_arrays(runner(images=image[None])) for image in images]
        return {
            name: np.concatenate([outputs[name] for outputs in each])
            for name in each[0]
        }

    return run


def compare(
    expected: Mapping[str, Any], found: Mapping[str, Any]
) -> dict[str, float]:
    """Largest absolute difference of each output.

    Args:
        expected: The outputs of the network by name.
        found: Those of the exported one.

    Returns:
        The differences by name.

    Raises:
        ValueError: If an output is missing or has another shape.
    """
    differences = {}
    for name, value in expected.items():
        value = np.asarray(value)
        if name not in found or found[name].shape != value.shape:
            shape = found[name].shape if name in found else "nothing"
            raise ValueError(
                f"The output {name!r} must have the shape {value.shape}; the "
                f"exported network gives {shape}."
            )
        differences[name] = float(np.abs(found[name] - value).max())
    return differences


def _arrays(outputs: Mapping[str, Any]) -> Arrays:
    return {name: np.asarray(value) for name, value in outputs.items()}
