"""Gives the rows of `benchmarks/results` the names of today; nothing is re-run.

    python -m benchmarks.rename_results

What was `joint_task` with restored labels is `label_restoration`, its terms are
`restoration_distance` and `restoration_error`, and an autoencoder that is the
default now is left out of the flags, so that `benchmarks.compare` finds each
row by the key that it makes of today's flags. Figures are not touched. To be
run once, on the files of commit 04bd521.
"""

import csv
import json
import pathlib

FOLDER = pathlib.Path(__file__).parent / "results"
LIGHT = {"widths": [16, 32, 48, 64], "num_convs": [1, 1, 1, 1]}
TERMS = {
    "distance": "restoration_distance",
    "reconstruction": "restoration_error",
}
METHODS = {
    "joint_task": "label_restoration",
    "only_moving_targets": "only_target_gradients",
}


def main():
    for path in sorted(FOLDER.glob("*.csv")):
        with path.open() as file:
            rows = list(csv.DictReader(file))
        renamed = [rename(row) for row in rows]
        with path.open("w") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(renamed)
        changed = sum(a != b for a, b in zip(rows, renamed, strict=True))
        print(f"{path.name}: {changed} of {len(rows)} rows renamed")


def rename(row):
    """A row with today's names."""
    row = row | {"method": METHODS.get(row["method"], row["method"])}
    if row.get("key"):
        key = json.loads(row["key"])
        key["networks"] = [rename_flags(flags) for flags in key["networks"]]
        row["key"] = json.dumps(key, sort_keys=True)
    if row.get("regularization"):
        config = json.loads(row["regularization"])
        row["regularization"] = json.dumps(rename_config(config))
    return row


def rename_flags(flags):
    """Flags of `jtr train`."""
    if flags["regularization"] != "joint_task":
        return flags
    options = dict(flags.pop("regularization_options", {}))
    semantics = options.pop("semantics", "restored")
    if semantics == "restored":
        flags["regularization"] = "label_restoration"
        options = rename_weights(options)
    elif semantics == "reference":
        options["semantics"] = semantics
    else:  # The light autoencoder is the default of all others.
        options = {k: v for k, v in options.items() if LIGHT.get(k) != v}
        if semantics != "corrected":
            options["semantics"] = rename_oddities(semantics)
    if options:
        flags["regularization_options"] = options
    return flags


def rename_config(config):
    """All arguments of a regularization, as a run resolved them."""
    if not config or config["name"] != "joint_task_regularization":
        return config
    if config["semantics"] != "restored":
        del config["stride"], config["warm_up"]  # Nothing read them.
        if isinstance(config["semantics"], dict):
            config["semantics"] = rename_oddities(config["semantics"])
        return config
    del config["semantics"], config["num_convs"]
    config = rename_weights(config) | {"name": "label_restoration"}
    config["widths"] = config["widths"] or [24, 24]
    return config


def rename_weights(options):
    """Arguments of label restoration."""
    if "weights" not in options:
        return options
    weights = {TERMS[name]: w for name, w in options["weights"].items()}
    return options | {"weights": weights}


def rename_oddities(semantics):
    """Choices of a `Semantics`."""
    return {
        "target_gradients" if name == "moving_targets" else name: value
        for name, value in semantics.items()
    }


if __name__ == "__main__":
    main()
