"""The folder of a training run."""

import contextlib
import csv
import json
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

import jtr_keras
from jtr_keras.callbacks.prediction_pictures import PredictionPictures
from jtr_keras.callbacks.step_timer import StepTimer
from jtr_keras.cli.lock import lock
from jtr_keras.cli.model_file import BEST, CONFIG, LAST, METRICS

_FREE = {
    *("check", "picture_every", "traceback", "workdir", "xla"),
    *("command", "run"),  # Of the parser, not flags.
}
"""What may differ when a run is resumed."""


class Workdir:
    """Names of the files of a run, its configuration and its callbacks.

    Args:
        path: The folder; made if it does not exist.
    """

    def __init__(self, path: str | pathlib.Path) -> None:
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self.best = self.path / BEST
        self.last = self.path / LAST
        self.history = self.path / "history.csv"
        self.metrics = self.path / METRICS
        self.pictures = self.path / "pictures"
        self.tensorboard = self.path / "tensorboard"
        self.backup = self.path / "backup"
        # Written last: with it, the backup of an epoch is whole.
        self.state = self.backup / "training_metadata.json"

    def configure(
        self, args: Mapping[str, Any], **resolved: dict[str, Any] | None
    ) -> None:
        """Locks the folder; writes the flags, or compares with earlier ones.

        Args:
            args: Values of all flags by name.
            **resolved: Further entries: what flags came to, with defaults.

        Raises:
            ValueError: If the folder holds a run with other flags, or another
                process trains in it.
        """
        lock(self.path)
        flags = {k: v for k, v in args.items() if k not in _FREE}
        path = self.path / CONFIG
        if path.exists() and self.state.exists():
            self._compare(json.loads(path.read_text())["flags"], flags)
        if not self.state.exists():  # Half a backup cannot be restored.
            shutil.rmtree(self.backup, ignore_errors=True)
        versions = {
            "jtr_keras": jtr_keras.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        }
        content = {"flags": flags, "versions": versions} | resolved
        path.write_text(json.dumps(content, indent=2) + "\n")
        self._rewind_history()

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

    def _rewind_history(self) -> None:
        """Drops rows of epochs that a killed run had not yet backed up."""
        if not self.history.exists():
            return
        done = 0
        if self.state.exists():
            done = json.loads(self.state.read_text())["epoch"]
        lines = self.history.read_text().splitlines(keepends=True)
        rows = [row for row in lines[1:] if int(row.split(",")[0]) < done]
        self.history.write_text("".join(lines[:1] + rows))

    @contextlib.contextmanager
    def recording(
        self, val: tf.data.Dataset, validate: bool, picture_every: int
    ) -> Iterator[list[keras.callbacks.Callback]]:
        """The callbacks that write the files while a model trains.

        Args:
            val: The validation data.
            validate: Whether the model is evaluated after every epoch.
            picture_every: Pictures are made every so many epochs.
        """
        history = keras.callbacks.CSVLogger(self.history, append=True)
        validation = [
            keras.callbacks.ModelCheckpoint(
                self.best,
                monitor="val_delta_mtl",
                mode="max",
                save_best_only=True,
                initial_value_threshold=self._best_so_far(),
            ),
            PredictionPictures(
                val, self.pictures, self.tensorboard, picture_every
            ),
        ]
        callbacks = [
            # Raises before the state of the last good epoch is replaced.
            keras.callbacks.TerminateOnNaN(raise_error=True),
            StepTimer(),
            *(validation if validate else []),
            keras.callbacks.TensorBoard(self.tensorboard, write_graph=False),
            history,
            # Last: what the others write must be there for a resumed run.
            keras.callbacks.BackupAndRestore(
                self.backup, delete_checkpoint=False, double_checkpoint=True
            ),
        ]
        try:
            yield callbacks
        finally:
            history.on_train_end()  # Keras leaves it open after an error.

    def _best_so_far(self) -> float | None:
        if not (self.history.exists() and self.best.exists()):
            return None
        with self.history.open() as file:
            rows = [float(row["val_delta_mtl"]) for row in csv.DictReader(file)]
        return max(rows, default=None)

    def finish(self, model: keras.Model, metrics: Mapping[str, float]) -> None:
        """Writes the model after the last epoch, and its metrics.

        Args:
            model: The model.
            metrics: Its metrics on the validation data.
        """
        temporary = self.path / "saving.keras"
        model.save(temporary)
        temporary.replace(self.last)
        self.metrics.write_text(json.dumps(metrics, indent=2) + "\n")
