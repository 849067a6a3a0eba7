"""The folder of a training run."""

import json
import pathlib
from typing import Any

import keras
import tensorflow as tf

import jtr_keras
from jtr_keras.cli.lock import lock
from jtr_keras.export.publishing import latest_version
from jtr_keras.export.runtimes import SavedPredictor

CONFIG = "config.json"
_FREE = ("check", "help", "picture_every", "traceback", "workdir", "xla")
"""Flags that may differ when a run is resumed."""


class Workdir:
    """Names of the files of a run, and its configuration.

    Args:
        path: The folder; made if it does not exist.
    """

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self.best = self.path / "best.keras"
        self.last = self.path / "last.keras"
        self.history = self.path / "history.csv"
        self.metrics = self.path / "metrics.json"
        self.pictures = self.path / "pictures"
        self.tensorboard = self.path / "tensorboard"
        self.backup = self.path / "backup"

    def configure(
        self, settings: dict[str, Any], **resolved: dict[str, Any] | None
    ) -> None:
        """Locks the folder; writes the flags, or compares with earlier ones.

        Args:
            settings: Values of all flags by name.
            **resolved: Further entries: what flags came to, with defaults.

        Raises:
            ValueError: If the folder holds a run with other flags, or another
                process trains in it.
        """
        lock(self.path)
        settings = {k: v for k, v in settings.items() if k not in _FREE}
        path = self.path / CONFIG
        # What ended before its first epoch did has left nothing to go on with.
        if path.exists() and self.backup.exists():
            earlier = json.loads(path.read_text())["flags"]
            self._compare(earlier, settings)
        versions = {
            "jtr_keras": jtr_keras.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        }
        content = {"flags": settings, "versions": versions} | resolved
        path.write_text(json.dumps(content, indent=2) + "\n")
        self._rewind_history()

    def _rewind_history(self) -> None:
        """Drops rows of epochs that a killed run had not yet backed up."""
        if not self.history.exists():
            return
        state = self.backup / "training_metadata.json"
        done = json.loads(state.read_text())["epoch"] if state.exists() else 0
        lines = self.history.read_text().splitlines(keepends=True)
        rows = [row for row in lines[1:] if int(row.split(",")[0]) < done]
        self.history.write_text("".join(lines[:1] + rows))

    def _compare(self, earlier: dict[str, Any], now: dict[str, Any]) -> None:
        names = [name for name in now if earlier.get(name) != now[name]]
        if now["schedule"] == "constant" and "epochs" in names:
            names.remove("epochs")
        if names:
            changes = ", ".join(
                f"--{name}={earlier.get(name)} then, {now[name]} now"
                for name in names
            )
            raise ValueError(
                f"{self.path} holds a run with other flags: {changes}. Use "
                "another --workdir, or the same flags to go on. (--epochs may "
                "change with --schedule=constant.)"
            )


def model_file(path: str | None) -> pathlib.Path:
    """The `.keras` file that `--model` means.

    Args:
        path: A `.keras` file or the folder of a run.

    Returns:
        The file.

    Raises:
        ValueError: If there is none.
    """
    if not path:
        raise ValueError("--model is required: a .keras file or a workdir.")
    file = pathlib.Path(path)
    if file.is_dir():
        runs = [file / "last.keras", file / "best.keras"]
        file = next((run for run in runs if run.exists()), runs[0])
    if not file.is_file():
        raise ValueError(
            f"--model: there is no file {file}. Expected a .keras file, the "
            "workdir of a training run or, to predict, a SavedModel."
        )
    return file


def load_network(path: str | None) -> tuple[Any, Any]:
    """The tasks and the function that `--model` means.

    Args:
        path: As for `model_file`, or a SavedModel: `NAME` or `NAME/VERSION`.

    Returns:
        The tasks, and a function from images to a dict of predictions.
    """
    if path and latest_version(path) is not None:
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
    names = (CONFIG, "metrics.json" if file.name == "last.keras" else "")
    paths = [file.parent / name for name in names]
    found = [json.loads(p.read_text()) if p.is_file() else None for p in paths]
    if found[1] is not None and found[0] is not None:
        flags = found[0]["flags"]
        found[0]["metrics_of"] = (
            f"{flags['dataset']}, split {flags['val_split']}, after the last "
            "epoch"
        )
    return found[0], found[1]


def load_model(path: str | None) -> Any:
    """The model that `--model` means."""
    file = model_file(path)
    model = keras.saving.load_model(file)
    if not isinstance(model, jtr_keras.MultiTaskModel):
        raise ValueError(
            f"{file} must hold a MultiTaskModel; it holds a "
            f"{type(model).__name__}."
        )
    return model
