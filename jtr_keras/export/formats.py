"""Files for other runtimes than TensorFlow, by Keras's own exporters."""

import dataclasses
import importlib.util
import pathlib
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.export.publishing import PathLike, publish_files
from jtr_keras.export.runtimes import RUNTIMES, compare
from jtr_keras.models.dense_predictor import DensePredictor

TOLERANCE = 1e-3
"""Largest difference, relative to the largest value, of a good conversion."""

ATTEMPTS = 3
"""How often a file is written until it agrees.

tf2onnx is not deterministic: now and then an output has an axis too many.
"""


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file.

    Args:
        suffix: How its name ends.
        any_size: Whether height and width can be left open.
        packages: What has to be installed to write and to check it.
        extra: The extra of this library that brings them.
    """

    suffix: str
    any_size: bool
    packages: tuple[str, ...]
    extra: str


FORMATS = {
    "onnx": Format(".onnx", True, ("onnx", "tf2onnx", "onnxruntime"), "onnx"),
    "openvino": Format(".xml", True, ("openvino", "scipy"), "openvino"),
    "litert": Format(".tflite", False, ("ai_edge_litert",), "litert"),
}
"""The formats by name; `tf_saved_model` is not among them."""


def export_file(
    predictor: DensePredictor,
    path: PathLike,
    format: str,
    image_size: tuple[int, int],
    **kwargs: Any,
) -> tuple[pathlib.Path, dict[str, float]]:
    """Writes a file, once it was seen to agree with the network.

    Args:
        predictor: The network; the file computes in float32.
        path: The file; the format's suffix is added where it lacks.
        format: A name in `FORMATS`.
        image_size: Height and width that the file is checked at, and the only
            ones where the format has fixed sizes.
        **kwargs: Further arguments of Keras's exporter.

    Returns:
        The file, and the largest difference of each output from the network's.

    Raises:
        FileExistsError: If the file exists.
        ImportError: If a package is not installed.
        ValueError: If the format is unknown or the conversion is wrong.
    """
    kind = _require(format)
    predictor = in_full_precision(predictor)
    path = pathlib.Path(path)
    if path.suffix != kind.suffix:
        path = path.with_name(path.name + kind.suffix)
    size = (None, None, None) if kind.any_size else (1, *image_size)
    spec = tf.TensorSpec((*size, 3), tf.float32, "images")
    differences: dict[str, float] = {}

    def convert(file: pathlib.Path) -> None:
        with warnings.catch_warnings():  # Of tf2onnx, about NumPy.
            warnings.simplefilter("ignore")
            predictor.export(
                str(file),
                format=format,
                input_signature=[spec],
                verbose=False,
                **kwargs,
            )

    def write(file: pathlib.Path) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            convert(file)
            try:
                differences.update(_check(predictor, file, format, image_size))
                return
            except ValueError:
                if attempt == ATTEMPTS:
                    raise

    return publish_files(path, write), differences


def _require(format: str) -> Format:
    if format not in FORMATS:
        raise ValueError(
            f"There is no format {format!r}; there are {sorted(FORMATS)}."
        )
    kind = FORMATS[format]
    for package in kind.packages:
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f"The format {format!r} needs the package {package!r}: "
                f"pip install jtr_keras[{kind.extra}]."
            )
    return kind


def _check(
    predictor: DensePredictor,
    file: pathlib.Path,
    format: str,
    image_size: tuple[int, int],
) -> dict[str, float]:
    # An odd size, where any will do: there conversions go wrong first.
    odd = 1 if FORMATS[format].any_size else 0
    size = [side + odd for side in image_size]
    images = np.random.default_rng(0).uniform(size=(1, *size, 3))
    images = images.astype(np.float32)
    expected = predictor(images, training=False)
    differences = compare(expected, RUNTIMES[format](file)(images))
    for name, difference in differences.items():
        largest = max(1.0, float(np.abs(expected[name]).max()))
        if not difference <= TOLERANCE * largest:
            raise ValueError(
                f"The conversion to {format!r} is wrong: the output {name!r} "
                f"differs by {difference:g} from the network's."
            )
    return differences


def in_full_precision(predictor: DensePredictor) -> DensePredictor:
    """The network itself, or a copy that computes in float32.

    Other runtimes know half precision only in part, and Keras's exporters
    want none. Weights are float32 in any case.

    Args:
        predictor: The network.

    Example:

    >>> predictor = jtr_keras.models.DensePredictor(
    ...     jtr_keras.models.UNet(widths=(4, 8), dtype="mixed_float16"),
    ...     [jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)],
    ...     dtype="mixed_float16",
    ... )
    >>> from jtr_keras.export.formats import in_full_precision
    >>> in_full_precision(predictor).compute_dtype
    'float32'
    """
    if all(layer.compute_dtype == "float32" for layer in _layers(predictor)):
        return predictor
    copy = DensePredictor.from_config(_replace(predictor.get_config()))
    copy.set_weights(predictor.get_weights())
    return copy


def _layers(predictor: DensePredictor) -> list[Any]:
    return list(predictor._flatten_layers())


def _replace(config: Any) -> Any:
    """A config with every policy of Keras replaced by `float32`."""
    if isinstance(config, list | tuple):
        return [_replace(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return config | {"config": {"name": "float32"}}
    return {key: _replace(value) for key, value in config.items()}
