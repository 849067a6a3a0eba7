"""`jtr train`."""

import csv
import json
import sys
from collections.abc import Sequence

import keras
import tensorflow as tf
from absl import flags

from jtr_keras.cli.from_flags import (
    check_data,
    get_root,
    make,
    make_data,
    make_model,
)
from jtr_keras.cli.report import print_metrics
from jtr_keras.cli.workdir import Workdir
from jtr_keras.data.datasets.datasets import get_dataset
from jtr_keras.regularization import REGULARIZATIONS
from jtr_keras.training.multi_task_model import MultiTaskModel
from jtr_keras.callbacks.prediction_pictures import PredictionPictures
from jtr_keras.callbacks.step_timer import StepTimer
from jtr_keras.types import Config


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains, and evaluates after the last epoch."""
    if arguments:
        raise ValueError(f"Unexpected arguments: {list(arguments)}.")
    if not values.workdir:
        raise ValueError("--workdir is required: a folder for the run.")
    dataset = get_dataset(values.dataset)
    root = get_root(values)
    values.labels = values.labels or dataset.labels
    tasks = dataset.make_tasks(values.tasks, values.task_options)
    keras.utils.set_random_seed(values.seed)
    keras.config.set_dtype_policy(values.precision)
    regularization = make(
        "regularization",
        {"none": lambda: None} | REGULARIZATIONS,
        values.regularization,
        values.regularization_options,
    )
    compared = regularization.num_views if regularization else 1
    train, val = make_data(
        dataset, root, tasks, values, max(compared, values.supervised_views)
    )
    steps_per_epoch = int(train.cardinality())
    epochs = values.epochs
    if values.steps:
        epochs = max(round(values.steps / steps_per_epoch), 1)
    model = make_model(values, tasks, regularization, epochs * steps_per_epoch)
    # Late: flags that are refused need not wait for it.
    if values.check:
        check_data(dataset, root, tasks, values)
    # Later still: what is refused must not bind the folder's next run.
    workdir = Workdir(values.workdir)
    workdir.configure(values.flag_values_dict(), **_resolved(model))
    model.fit(
        train,
        validation_data=val if values.validate else None,
        epochs=epochs,
        callbacks=_callbacks(workdir, val, values),
        verbose=1 if sys.stdout.isatty() else 2,
    )
    _finish(model, val, workdir)


def _resolved(model: MultiTaskModel) -> dict[str, Config | None]:
    """All arguments of what flags chose, defaults among them."""
    parts = {
        "regularization": model.regularization,
        "balancing": model.balancing,
    }
    return {k: None if v is None else v.get_config() for k, v in parts.items()}


def _callbacks(
    workdir: Workdir, val: tf.data.Dataset, values: flags.FlagValues
) -> list[keras.callbacks.Callback]:
    validation = [
        keras.callbacks.ModelCheckpoint(
            workdir.best,
            monitor="val_delta_mtl",
            mode="max",
            save_best_only=True,
            initial_value_threshold=_best_so_far(workdir),
        ),
        PredictionPictures(
            val, workdir.pictures, workdir.tensorboard, values.picture_every
        ),
    ]
    return [
        # Raises at once, before the state of the last good epoch is replaced.
        keras.callbacks.TerminateOnNaN(raise_error=True),
        StepTimer(),
        *(validation if values.validate else []),
        keras.callbacks.TensorBoard(workdir.tensorboard, write_graph=False),
        keras.callbacks.CSVLogger(workdir.history, append=True),
        # Last: a resumed run must not lack what the others write.
        keras.callbacks.BackupAndRestore(
            workdir.backup, delete_checkpoint=False, double_checkpoint=True
        ),
    ]


def _best_so_far(workdir: Workdir) -> float | None:
    if not (workdir.history.exists() and workdir.best.exists()):
        return None
    with workdir.history.open() as file:
        rows = [float(row["val_delta_mtl"]) for row in csv.DictReader(file)]
    return max(rows, default=None)


def _finish(
    model: MultiTaskModel, val: tf.data.Dataset, workdir: Workdir
) -> None:
    temporary = workdir.path / "saving.keras"
    model.save(temporary)
    temporary.replace(workdir.last)
    metrics = model.evaluate(val, return_dict=True, verbose=0)
    workdir.metrics.write_text(json.dumps(metrics, indent=2) + "\n")
    print_metrics(metrics)
    print(f"Model: {workdir.last}")
    for path in (workdir.best, workdir.pictures):
        if path.exists():
            print(f"{path.stem.capitalize()}: {path}")
    print(f"Curves: tensorboard --logdir {workdir.tensorboard}")
