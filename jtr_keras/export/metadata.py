"""What an exported folder says of itself, beside the graph."""

import dataclasses
import datetime
import json
import pathlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from jtr_keras.export.publishing import PathLike, find_saved_model
from jtr_keras.export.signatures import MAX_SIDE, MIN_SIDE
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config
from jtr_keras.version import __version__

FOLDER = "assets.extra"
"""Where TensorFlow Serving looks for what is not part of the graph."""
FILE = "metadata.json"


def make_metadata(
    predictor: DensePredictor,
    image_size: tuple[int, int],
    signatures: Mapping[str, Config],
    training: Config | None = None,
    metrics: Mapping[str, float] | None = None,
) -> Config:
    """Metadata of an export, fit for JSON.

    Args:
        predictor: The network.
        image_size: Height and width that encoded images are resized to.
        signatures: For each signature, what it `takes`, its `inputs` and
            `outputs`.
        training: How the network was trained.
        metrics: What it reached.

    Returns:
        Dict of dicts, lists, texts and numbers.
    """
    return {
        "tasks": [_describe(task) for task in predictor.tasks],
        "images": {
            "channels": "red, green, blue",
            "preprocessing": "values from 0 to 255 divided by 255; no mean or "
            "deviation is taken off",
            "image_size": list(image_size),
            "smallest_side": MIN_SIDE,
            "largest_side": MAX_SIDE,
        },
        "signatures": dict(signatures),
        "network": {
            "backbone": keras.saving.serialize_keras_object(predictor.backbone),
            "interaction": keras.saving.serialize_keras_object(
                predictor.interaction
            ),
            "head_filters": predictor.head_filters,
            "dtype_policy": predictor.dtype_policy.name,
            "parameters": predictor.count_params(),
        },
        "training": training,
        "metrics": None if metrics is None else dict(metrics),
        "versions": {
            "jtr_keras": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "python": platform.python_version(),
        },
        "exported": datetime.datetime.now(datetime.UTC).isoformat(
            timespec="seconds"
        ),
    }


def read_metadata(folder: pathlib.Path) -> Config:
    """Metadata of an exported folder.

    Raises:
        ValueError: If the folder has none.
    """
    path = folder / FOLDER / FILE
    if not path.is_file():
        raise ValueError(
            f"{folder} was not exported by this library: there is no {path}."
        )
    metadata: Config = json.loads(path.read_text())
    return metadata


def load_tasks(path: PathLike) -> Sequence[Task]:
    """The tasks that a SavedModel predicts, as they were when it was made.

    Args:
        path: `NAME/VERSION`, or `NAME` for its highest version.

    Returns:
        The tasks; enough to dequantize and to paint what a server answers.

    Raises:
        ValueError: If there is no SavedModel or it is not of this library.
    """
    metadata = read_metadata(find_saved_model(path))
    load = keras.saving.deserialize_keras_object
    return [load(task["config"]) for task in metadata["tasks"]]


def _describe(task: Task) -> Config:
    return {
        "name": task.name,
        "type": type(task).__name__,
        "channels": task.channels,
        **task.describe(),
        "quantization": dataclasses.asdict(task.codec.quantization),
        "primary_metric": f"{task.name}_{task.primary_metric}",
        "higher_is_better": task.higher_is_better,
        "config": keras.saving.serialize_keras_object(task),
    }


def as_json(values: Any) -> str:
    """JSON text; numbers of NumPy and tuples become plain ones."""

    def plain(value: Any) -> Any:
        return value.item() if hasattr(value, "item") else str(value)

    return json.dumps(values, indent=2, default=plain) + "\n"
