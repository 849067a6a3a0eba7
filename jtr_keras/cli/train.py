"""`jtr train`."""

import csv
import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from absl import flags

from jtr_keras.balancing import BALANCINGS
from jtr_keras.cli.report import print_metrics
from jtr_keras.cli.workdir import Workdir
from jtr_keras.data.checking import check
from jtr_keras.data.dataset import Dataset
from jtr_keras.data.datasets import get_dataset
from jtr_keras.data.label_settings import label_matrix
from jtr_keras.models import BACKBONES
from jtr_keras.regularization import REGULARIZATIONS
from jtr_keras.tasks.task import Task
from jtr_keras.training.multi_task_model import MultiTaskModel
from jtr_keras.training.prediction_pictures import PredictionPictures
from jtr_keras.training.schedules import learning_rate
from jtr_keras.training.step_timer import StepTimer


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains, and evaluates after the last epoch."""
    if arguments:
        raise ValueError(f"Unexpected arguments: {list(arguments)}.")
    if not values.workdir:
        raise ValueError("--workdir is required: a folder for the run.")
    dataset = get_dataset(values.dataset)
    root = _root(values)
    tasks = dataset.make_tasks(values.tasks, values.task_options)
    if values.check:
        _check(dataset, root, tasks, values)
    keras.utils.set_random_seed(values.seed)
    keras.config.set_dtype_policy(values.precision)
    regularization = make(
        "regularization",
        {"none": lambda: None} | REGULARIZATIONS,
        values.regularization,
        values.regularization_options,
    )
    compared = regularization.num_views if regularization else 1
    train, val = _data(
        dataset, root, tasks, values, max(compared, values.supervised_views)
    )
    steps_per_epoch = int(train.cardinality())
    epochs = values.epochs
    if values.steps:
        epochs = max(round(values.steps / steps_per_epoch), 1)
    model = _model(values, tasks, regularization, epochs * steps_per_epoch)
    # Late: flags that are refused must not bind the folder's next run.
    workdir = Workdir(values.workdir)
    workdir.configure(values.flag_values_dict())
    model.fit(
        train,
        validation_data=val if values.validate else None,
        epochs=epochs,
        callbacks=_callbacks(workdir, val, values),
        verbose=1 if sys.stdout.isatty() else 2,
    )
    _finish(model, val, workdir)


def _data(
    dataset: Dataset,
    root: str,
    tasks: list[Task],
    values: flags.FlagValues,
    num_views: int,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """The training and the validation data."""
    load = partial(
        dataset.load,
        root,
        tasks=tasks,
        batch_size=values.batch_size,
        seed=values.seed,
    )
    train = load(
        values.train_split,
        training=True,
        labels=values.labels,
        labelled_only=values.labelled_only,
        num_views=num_views,
    )
    return train, load(values.val_split, training=False)


def make(kind: str, table: dict[str, Any], name: str, options: Any) -> Any:
    """What the table has under a name, called with options."""
    if name not in table:
        raise ValueError(
            f"There is no {kind} {name!r}; there are {sorted(table)}."
        )
    try:
        return table[name](**(options or {}))
    except TypeError as error:
        raise ValueError(f"--{kind}_options: {error}") from error


def _root(values: flags.FlagValues) -> str:
    if values.dataset != "rooms" and not values.root:
        raise ValueError(f"The dataset {values.dataset!r} needs --root=FOLDER.")
    return values.root or ""


def _check(
    dataset: Dataset, root: str, tasks: list[Task], values: flags.FlagValues
) -> None:
    for split, labels in (
        (values.train_split, values.labels),
        (values.val_split, "full"),
    ):
        source = dataset.open(root, split)
        source.require(tasks)
        print(f"Checking {source.num_images} images of {split!r} ...")
        matrix = label_matrix(labels, source, tasks, values.seed)
        check(source, tasks, matrix, verbose=int(sys.stdout.isatty()))


def _model(
    values: flags.FlagValues,
    tasks: list[Task],
    regularization: Any,
    steps: int,
) -> MultiTaskModel:
    gpus = tf.config.list_logical_devices("GPU")
    strategy = tf.distribute.get_strategy()
    if len(gpus) > 1:
        strategy = tf.distribute.MirroredStrategy()
    rate = learning_rate(values.schedule, values.learning_rate, steps)
    with strategy.scope():
        backbone = make(
            "backbone", BACKBONES, values.backbone, values.backbone_options
        )
        model = MultiTaskModel(
            backbone,
            tasks,
            regularization,
            head_filters=values.head_filters,
            supervised_views=values.supervised_views,
            balancing=make(
                "balancing",
                {"none": lambda: None} | BALANCINGS,
                values.balancing,
                values.balancing_options,
            ),
        )
        model.compile(
            optimizer=keras.optimizers.Adam(rate),
            baselines=values.baselines,
            jit_compile={"auto": bool(gpus), "on": True, "off": False}[
                values.xla
            ],
        )
    return model


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
