"""What `--model` means; light until a model is loaded."""

import json
import pathlib
from typing import Any

from jtr_keras.cli.arguments import PATH, add

CONFIG = "config.json"
METRICS = "metrics.json"
LAST, BEST = "last.keras", "best.keras"
"""Files of a training run."""


def add_model(parser: Any, more: str = "") -> None:
    """Adds the flag `--model`.

    Args:
        parser: A parser.
        more: What else the command accepts, for the help.
    """
    text = (
        "A .keras file, or the folder of a training run, which stands for its "
        f"{LAST}{more}. Required."
    )
    add(parser, "model", text, kind=PATH, required=True)


def model_file(path: str) -> pathlib.Path:
    """The `.keras` file that `--model` means.

    Args:
        path: A `.keras` file or the folder of a run.

    Returns:
        The file.

    Raises:
        ValueError: If there is none.
    """
    file = pathlib.Path(path)
    if file.is_dir():
        runs = [file / LAST, file / BEST]
        file = next((run for run in runs if run.exists()), runs[0])
    if not file.is_file():
        raise ValueError(
            f"--model: there is no file {file}. Expected a .keras file, the "
            "workdir of a training run or, to predict, a SavedModel."
        )
    return file


def holds_saved_model(path: str) -> bool:
    """Whether a path is `NAME` or `NAME/VERSION` of a SavedModel."""
    folder, file = pathlib.Path(path), "saved_model.pb"
    return (folder / file).is_file() or any(folder.glob(f"[0-9]*/{file}"))


def load_model(path: str) -> Any:
    """The model that `--model` means.

    Raises:
        ValueError: If there is none, or a class of it is not known.
    """
    file = model_file(path)
    import keras  # Here, since it loads TensorFlow.

    import jtr_keras

    try:
        model = keras.saving.load_model(file)
    except TypeError as error:  # Of a class that Keras cannot find.
        reason = str(error).rpartition("Exception encountered: ")[2]
        raise ValueError(
            f"{file} cannot be loaded: {reason.split('. ')[0]}. If the class "
            "is your own, name its module: --import=MODULE."
        ) from error
    if not isinstance(model, jtr_keras.MultiTaskModel):
        raise ValueError(
            f"{file} must hold a MultiTaskModel; it holds a "
            f"{type(model).__name__}."
        )
    return model


def load_network(path: str) -> tuple[Any, Any]:
    """The tasks and the function that `--model` means.

    Args:
        path: As for `model_file`, or a SavedModel: `NAME` or `NAME/VERSION`.

    Returns:
        The tasks, and a function from images to a dict of predictions.
    """
    if holds_saved_model(path):
        from jtr_keras.export.runtimes import SavedPredictor

        saved = SavedPredictor(path)
        return saved.tasks, saved
    model = load_model(path)
    return model.tasks, lambda images: model(images, training=False)


def run_record(file: pathlib.Path) -> tuple[Any, Any]:
    """Flags and versions of the run that a model is of, and its metrics.

    Args:
        file: A `.keras` file. Metrics belong to the last epoch alone.

    Returns:
        Two dicts, or None where nothing is known.
    """
    names = (CONFIG, METRICS if file.name == LAST else "")
    paths = [file.parent / name for name in names]
    found = [json.loads(p.read_text()) if p.is_file() else None for p in paths]
    if found[1] is not None and found[0] is not None:
        flags = found[0]["flags"]
        found[0]["metrics_of"] = (
            f"{flags['dataset']}, split {flags['val_split']}, after the last "
            "epoch"
        )
    return found[0], found[1]
