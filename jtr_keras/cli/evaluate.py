"""`jtr evaluate`."""

import json
import pathlib
import sys
from collections.abc import Sequence

from absl import flags

from jtr_keras.cli.report import print_metrics
from jtr_keras.cli.workdir import CONFIG, load_model, model_file
from jtr_keras.data.datasets.datasets import get_dataset


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Evaluates and prints; the dataset is the run's unless one is given."""
    if arguments:
        raise ValueError(f"Unexpected arguments: {list(arguments)}.")
    model = load_model(values.model)
    name, root = values.dataset, values.root
    config = model_file(values.model).parent / CONFIG
    if name is None and config.exists():
        flags_then = json.loads(config.read_text())["flags"]
        name, root = flags_then["dataset"], root or flags_then["root"]
    name = name or "rooms"
    data = get_dataset(name).load(
        root or "", values.split, model.tasks, batch_size=values.batch_size
    )
    print(f"{model_file(values.model)} on {name} {values.split!r}:")
    verbose = 1 if sys.stdout.isatty() else 0
    metrics = model.evaluate(data, return_dict=True, verbose=verbose)
    print_metrics(metrics)
    if values.output:
        text = json.dumps(metrics, indent=2) + "\n"
        pathlib.Path(values.output).write_text(text)
