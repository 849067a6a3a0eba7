"""What the flags of `jtr train` stand for."""

import argparse
import sys
from typing import Any

import keras
import tensorflow as tf

from jtr_keras.cli.arguments import make_choice
from jtr_keras.data.checking import check
from jtr_keras.data.labels.label_settings import AVAILABLE, label_matrix
from jtr_keras.registry import (
    AGGREGATIONS,
    BACKBONES,
    BALANCINGS,
    DATASETS,
    INTERACTIONS,
    REGULARIZATIONS,
)
from jtr_keras.training.multi_task_model import MultiTaskModel
from jtr_keras.training.schedules import learning_rate
from jtr_keras.types import Config

CHOICES = (BACKBONES, INTERACTIONS, REGULARIZATIONS, BALANCINGS, AGGREGATIONS)
"""What is chosen by name, beside the data set."""


class Experiment:
    """The tasks, the data and the model of a training run.

    Args:
        args: Values of all flags. Labels that are not given become the data
            set's usual ones.
        root: Folder of the data set.

    Raises:
        ValueError: If flags do not fit the data or one another.
    """

    def __init__(self, args: argparse.Namespace, root: str) -> None:
        self.args = args
        self.root = root
        self.dataset = DATASETS.find(args.dataset)
        args.labels = args.labels or self.dataset.labels
        self.tasks = self.dataset.make_tasks(args.tasks, args.task_options)
        keras.utils.set_random_seed(args.seed)
        keras.config.set_dtype_policy(args.precision)
        self.regularization = make_choice(args, REGULARIZATIONS)
        self.train = self._load_training_data()
        self.val = self._load(args.val_split, training=False)
        self.epochs = args.epochs
        steps_per_epoch = int(self.train.cardinality())
        if args.steps:
            self.epochs = max(round(args.steps / steps_per_epoch), 1)
        self.model = self._make_model(self.epochs * steps_per_epoch)

    def _load_training_data(self) -> tf.data.Dataset:
        args, regularization = self.args, self.regularization
        compared = regularization.num_views if regularization else 1
        return self._load(
            args.train_split,
            training=True,
            labels=args.labels,
            labelled_only=args.labelled_only,
            num_views=max(compared, args.supervised_views),
        )

    def _load(self, split: str, **options: Any) -> tf.data.Dataset:
        return self.dataset.load(
            self.root,
            split,
            self.tasks,
            batch_size=self.args.batch_size,
            seed=self.args.seed,
            **options,
        )

    def _make_model(self, steps: int) -> MultiTaskModel:
        """The compiled model; mirrored where there are several GPUs."""
        args = self.args
        gpus = tf.config.list_logical_devices("GPU")
        strategy = tf.distribute.get_strategy()
        if len(gpus) > 1:
            strategy = tf.distribute.MirroredStrategy()
        rate = learning_rate(args.schedule, args.learning_rate, steps)
        jit_compile = {"auto": bool(gpus), "on": True, "off": False}[args.xla]
        with strategy.scope():
            model = MultiTaskModel(
                make_choice(args, BACKBONES),
                self.tasks,
                self.regularization,
                head_filters=args.head_filters,
                supervised_views=args.supervised_views,
                balancing=make_choice(args, BALANCINGS),
                interaction=self._make_interaction(),
                aggregation=make_choice(args, AGGREGATIONS),
            )
            model.compile(
                optimizer=keras.optimizers.Adam(rate),
                baselines=args.baselines,
                jit_compile=jit_compile,
            )
        return model

    def _make_interaction(self) -> Any:
        args = self.args
        if args.interaction == "shared_features" and (
            not args.interaction_options
        ):
            return None  # The model has it by default, as wide as its heads.
        return make_choice(args, INTERACTIONS)

    def resolved(self) -> dict[str, Config | None]:
        """All arguments of what flags chose, defaults among them."""
        model = self.model
        parts = {
            "interaction": model.predictor.interaction,
            "regularization": model.regularization,
            "balancing": model.balancing,
            "aggregation": model.aggregation,
        }
        return {k: v.get_config() if v else None for k, v in parts.items()}

    def summary(self) -> str:
        """What is trained, and on what."""
        args = self.args
        chosen = [f"{r.kind} {getattr(args, r.kind)}" for r in CHOICES]
        names = ", ".join(task.name for task in self.tasks)
        return (
            f"Training {names} of {args.dataset} {args.train_split!r}, labels "
            f"{args.labels}:\n{', '.join(chosen)}."
        )

    def check_files(self) -> None:
        """Reads all images that the run will read; raises if one is wrong."""
        args, tasks = self.args, self.tasks
        splits = {args.train_split: args.labels, args.val_split: AVAILABLE}
        for split, labels in splits.items():
            source = self.dataset.open(self.root, split)
            source.require(tasks)
            matrix = label_matrix(labels, source, tasks, args.seed)
            sums = (matrix > 0).sum(axis=0)
            counts = ", ".join(
                f"{count} of {task.name}"
                for task, count in zip(tasks, sums, strict=True)
            )
            print(
                f"Checking {source.num_images} images of {split!r}; labels: "
                f"{counts} ..."
            )
            check(source, tasks, matrix, verbose=int(sys.stdout.isatty()))
