"""Trains a model on partly labelled images, or goes on training it."""

import argparse
import pathlib
import sys
from typing import Any

from jtr_keras.cli.arguments import (
    COUNT,
    FOLDER,
    INTEGER,
    JSON,
    NAMES,
    RATE,
    Kind,
    add,
    add_choice,
    add_data,
    add_switch,
    one_of,
    refuse_options_of_none,
    require_root,
)
from jtr_keras.cli.evaluate import print_metrics
from jtr_keras.registry import (
    AGGREGATIONS,
    BACKBONES,
    BALANCINGS,
    INTERACTIONS,
    REGULARIZATIONS,
)

LABELS = ("available", "full", "onelabel", "randomlabels", "halflabels")
"""The label settings that have a name."""


def add_arguments(parser: Any) -> None:
    """Adds the flags of `jtr train`."""
    parser.usage = "%(prog)s --workdir=FOLDER [FLAGS]"
    text = (
        "Folder for everything that the run writes. A run with the same "
        "folder and flags goes on where an earlier one ended. Required."
    )
    add(parser, "workdir", text, kind=FOLDER, required=True)
    _add_data(parser.add_argument_group("data"))
    _add_network(parser.add_argument_group("network"))
    _add_objective(parser.add_argument_group("objective"))
    _add_optimization(parser.add_argument_group("optimization"))
    _add_records(parser.add_argument_group("checks and records"))


def _add_data(group: Any) -> None:
    add_data(group, "rooms")
    text = "Names of the tasks; the data set's usual ones if not given."
    add(group, "tasks", text, kind=NAMES)
    text = (
        "JSON object: arguments of tasks, such as "
        '{"segmentation": {"num_classes": 5}}.'
    )
    add(group, "task_options", text, kind=JSON)
    text = (
        "Which image has which label: available, those whose files there are; "
        "full, onelabel, randomlabels or halflabels; or a .pth or .npy file. "
        "If not given, what is usual for the data set."
    )
    add(group, "labels", text, kind=Kind("LABELS", _labels))
    text = "Split to train on, or a part: train[:700]."
    add(group, "train_split", text, "train")
    text = "Split to evaluate on, or a part of one."
    add(group, "val_split", text, "val")
    text = "Leave out images that have no label of any of the tasks."
    add_switch(group, "labelled_only", text, False)


def _add_network(group: Any) -> None:
    text = "unet is light, segnet the paper's."
    add_choice(group, BACKBONES, text, "unet")
    text = (
        "How tasks exchange features; with shared_features, all heads see the "
        "same."
    )
    add_choice(group, INTERACTIONS, text, "shared_features")
    add(group, "head_filters", "Channels inside each head.", 16, COUNT)


def _add_objective(group: Any) -> None:
    text = (
        "What relates tasks or views without labels in common; with none, "
        "labels alone train. label_restoration is ours: the benchmark shows it "
        "to be better than joint_task, the paper's (docs/benchmark.md)."
    )
    add_choice(group, REGULARIZATIONS, text, "label_restoration", optional=True)
    text = "What weighs the tasks' losses; with none, all are equal."
    add_choice(group, BALANCINGS, text, "none", optional=True)
    text = "What makes one gradient of those of the tasks."
    add_choice(group, AGGREGATIONS, text, "sum")
    text = (
        "JSON object: the primary metric of each task that counts as "
        "delta_mtl = 0."
    )
    add(group, "baselines", text, kind=JSON)
    text = "Views of an image that count for the supervised losses."
    add(group, "supervised_views", text, 1, COUNT)


def _add_optimization(group: Any) -> None:
    text = "Epochs in all, those of earlier runs included."
    add(group, "epochs", text, 30, COUNT)
    text = "Steps in all, to the nearest whole epoch; replaces --epochs."
    add(group, "steps", text, kind=COUNT)
    add(group, "learning_rate", "Peak rate of Adam.", 1e-3, RATE)
    text = (
        "Learning rate over the run: cosine, after a warm-up of 5 %%; halved "
        "half-way, as in the paper; or constant."
    )
    names = one_of("constant", "cosine", "halved")
    add(group, "schedule", text, "cosine", **names)
    text = "Keras dtype policy, one of %(choices)s."
    names = one_of("float32", "mixed_float16", "mixed_bfloat16")
    add(group, "precision", text, "float32", **names)
    text = "Compilation by XLA: on, off or auto, where there is a GPU."
    add(group, "xla", text, "auto", **one_of("auto", "on", "off"))
    text = "Seed of weights, labels, order and views."
    add(group, "seed", text, 0, INTEGER)


def _add_records(group: Any) -> None:
    text = "Make pictures of predictions every so many epochs."
    add(group, "picture_every", text, 1, COUNT)
    text = (
        "Evaluate, make pictures and keep the best model after every epoch; "
        "if not, evaluate once, after the last."
    )
    add_switch(group, "validate", text, True)
    text = "Read every file once before training."
    add_switch(group, "check", text, True)


def _labels(text: str) -> str:
    path = pathlib.Path(text)
    is_file = path.suffix in (".pth", ".npy") and path.is_file()
    if text not in LABELS and not is_file:
        raise ValueError(
            f"must be one of {', '.join(LABELS)}, or an existing .pth or .npy "
            "file"
        )
    return text


def run(args: argparse.Namespace) -> None:
    """Trains, and evaluates after the last epoch."""
    root = require_root(args.dataset, args.root)
    refuse_options_of_none(args, REGULARIZATIONS, BALANCINGS)
    # Here, since they load TensorFlow.
    from jtr_keras.cli.experiment import Experiment
    from jtr_keras.cli.workdir import Workdir

    experiment = Experiment(args, root)
    print(experiment.summary())
    # Late: flags that are refused need not wait for it.
    if args.check:
        experiment.check_files()
    # Later still: what is refused must not bind the folder's next run.
    workdir = Workdir(args.workdir)
    workdir.configure(vars(args), **experiment.resolved())
    model, val = experiment.model, experiment.val
    with workdir.recording(val, args.validate, args.picture_every) as records:
        model.fit(
            experiment.train,
            validation_data=val if args.validate else None,
            epochs=experiment.epochs,
            callbacks=records,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    metrics = model.evaluate(val, return_dict=True, verbose=0)
    workdir.finish(model, metrics)
    print_metrics(metrics)
    print(f"Model: {workdir.last}")
    for path in (workdir.best, workdir.pictures):
        if path.exists():
            print(f"{path.stem.capitalize()}: {path}")
    print(f"Curves: tensorboard --logdir {workdir.tensorboard}")
