"""Prints the metrics of a model on a data set."""

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

from jtr_keras.cli.arguments import PATH, add, add_data, require_root
from jtr_keras.cli.model_file import CONFIG, add_model, load_model, model_file
from jtr_keras.registry import DATASETS


def add_arguments(parser: Any) -> None:
    """Adds the flags of `jtr evaluate`."""
    parser.usage = "%(prog)s --model=MODEL [FLAGS]"
    add_model(parser)
    # The data set is the run's, unless one is given.
    add_data(parser, default=None)
    add(parser, "split", "Split to evaluate on, or a part: val[:50].", "val")
    add(parser, "output", "JSON file for the metrics.", kind=PATH)


def run(args: argparse.Namespace) -> None:
    """Evaluates and prints."""
    file = model_file(args.model)
    name, root = _data(args, file.parent / CONFIG)
    root = require_root(name, root)
    model = load_model(args.model)
    data = DATASETS.find(name).load(
        root, args.split, model.tasks, batch_size=args.batch_size
    )
    print(f"{file} on {name} {args.split!r}:")
    verbose = 1 if sys.stdout.isatty() else 0
    metrics = model.evaluate(data, return_dict=True, verbose=verbose)
    print_metrics(metrics)
    if args.output:
        text = json.dumps(metrics, indent=2) + "\n"
        pathlib.Path(args.output).write_text(text)


def print_metrics(metrics: Mapping[str, float]) -> None:
    """Prints a line a metric, in the order of their names."""
    width = max(len(name) for name in metrics)
    for name in sorted(metrics):
        print(f"{name:<{width}}  {float(metrics[name]):10.4f}")


def _data(
    args: argparse.Namespace, config: pathlib.Path
) -> tuple[str, str | None]:
    """Name and root: those of the run where none are given."""
    if args.dataset is None and config.exists():
        flags = json.loads(config.read_text())["flags"]
        return flags["dataset"], args.root or flags["root"]
    return args.dataset or "rooms", args.root
