"""What the flags of `jtr train` stand for."""

import sys
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from absl import flags

from jtr_keras.balancing import BALANCINGS
from jtr_keras.data.checking import check
from jtr_keras.data.datasets.dataset import Dataset
from jtr_keras.data.labels.label_settings import AVAILABLE, label_matrix
from jtr_keras.models import BACKBONES
from jtr_keras.tasks.task import Task
from jtr_keras.training.multi_task_model import MultiTaskModel
from jtr_keras.training.schedules import learning_rate


def get_root(values: flags.FlagValues) -> str:
    """Folder of the dataset."""
    if values.dataset != "rooms" and not values.root:
        raise ValueError(f"The dataset {values.dataset!r} needs --root=FOLDER.")
    return values.root or ""


def check_data(
    dataset: Dataset, root: str, tasks: list[Task], values: flags.FlagValues
) -> None:
    """Reads all images that the run will read; raises if one is wrong."""
    for split, labels in (
        (values.train_split, values.labels),
        (values.val_split, AVAILABLE),
    ):
        source = dataset.open(root, split)
        source.require(tasks)
        matrix = label_matrix(labels, source, tasks, values.seed)
        counts = ", ".join(
            f"{count} of {task.name}"
            for task, count in zip(tasks, (matrix > 0).sum(axis=0), strict=True)
        )
        print(
            f"Checking {source.num_images} images of {split!r}; labels: "
            f"{counts} ..."
        )
        check(source, tasks, matrix, verbose=int(sys.stdout.isatty()))


def make_data(
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


def make_model(
    values: flags.FlagValues,
    tasks: list[Task],
    regularization: Any,
    steps: int,
) -> MultiTaskModel:
    """The compiled model; mirrored where there are several GPUs."""
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
