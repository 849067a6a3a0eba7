"""Files for other runtimes than TensorFlow, by Keras's own exporters."""

import dataclasses
import importlib.util
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.export.publishing import PathLike, publish_files
from jtr_keras.export.runtimes import (
    Run,
    compare,
    run_litert,
    run_onnx,
    run_openvino,
)
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.registry import FORMATS

TOLERANCE = 1e-3
"""Largest difference, relative to the largest value, of a good conversion."""

ATTEMPTS = 3
"""How often a file is written until it agrees.

tf2onnx is not deterministic: now and then an output has an axis too many.
"""


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file that one of Keras's exporters writes.

    Args:
        name: What Keras calls it.
        suffix: How the file's name ends.
        any_size: Whether height and width can be left open.
        packages: What has to be installed to write and to check it.
        extra: The extra of this library that installs them.
        run: From a file to a function from images to a dict of arrays.
    """

    name: str
    suffix: str
    any_size: bool
    packages: tuple[str, ...]
    extra: str
    run: Callable[[pathlib.Path], Run]


ONNX = Format(
    "onnx", ".onnx", True, ("onnx", "tf2onnx", "onnxruntime"), "onnx", run_onnx
)
OPENVINO = Format(
    "openvino", ".xml", True, ("openvino", "scipy"), "openvino", run_openvino
)
LITERT = Format(
    "litert", ".tflite", False, ("ai_edge_litert",), "litert", run_litert
)


def export_file(
    predictor: DensePredictor,
    path: PathLike,
    format: str,
    image_size: tuple[int, int],
    **kwargs: Any,
) -> tuple[pathlib.Path, dict[str, float]]:
    """Writes a file and checks that it predicts what the network predicts.

    Args:
        predictor: The network; the file computes in float32.
        path: The file; the format's suffix is added where it is missing.
        format: A name in `jtr_keras.export.FORMATS`.
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
    kind: Format = FORMATS.find(format)
    _require_packages(kind)
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
                format=kind.name,
                input_signature=[spec],
                verbose=False,
                **kwargs,
            )

    def write(file: pathlib.Path) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            convert(file)
            try:
                differences.update(_check(predictor, file, kind, image_size))
                return
            except ValueError:
                if attempt == ATTEMPTS:
                    raise

    return publish_files(path, write), differences


def _require_packages(kind: Format) -> None:
    for package in kind.packages:
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f"The format {kind.name!r} needs the package {package!r}: "
                f"pip install jtr_keras[{kind.extra}]."
            )


def _check(
    predictor: DensePredictor,
    file: pathlib.Path,
    kind: Format,
    image_size: tuple[int, int],
) -> dict[str, float]:
    # An odd size, where any is possible: conversions go wrong there first.
    odd = 1 if kind.any_size else 0
    size = [side + odd for side in image_size]
    images = np.random.default_rng(0).uniform(size=(1, *size, 3))
    images = images.astype(np.float32)
    expected = predictor(images, training=False)
    differences = compare(expected, kind.run(file)(images))
    for name, difference in differences.items():
        largest = max(1.0, float(np.abs(expected[name]).max()))
        if not difference <= TOLERANCE * largest:
            raise ValueError(
                f"The conversion to {kind.name!r} is wrong: the output "
                f"{name!r} differs by {difference:g} from the network's."
            )
    return differences


def in_full_precision(predictor: DensePredictor) -> DensePredictor:
    """The network itself, or a copy that computes in float32.

    Other runtimes support half precision only in part, and Keras's exporters
    refuse it. Weights are float32 in any case.

    Args:
        predictor: The network.

    Returns:
        A network of the same weights.

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
