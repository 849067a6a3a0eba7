"""Compares a trained model with predicting the same value everywhere.

Usage: python examples/trivial_predictions.py WORKDIR

Prints the primary metrics of WORKDIR/metrics.json beside those of predicting,
at every pixel of Rooms, the most frequent class, the median depth and the mean
normal of the training set. Exits with 1 unless the model is better at each.
"""

import json
import pathlib
import sys

import numpy as np

import jtr_keras as jtr
from jtr_keras.training.scoring import Scoring


def main(workdir):
    path = pathlib.Path(workdir) / "metrics.json"
    model = json.loads(path.read_text())
    tasks = jtr.data.DATASETS["rooms"].make_tasks()
    trivial = evaluate(tasks, constants(jtr.data.RoomsSource("train")))
    print(f"{'Rooms val (synthetic)':<24}{'trivial':>9}{'model':>9}")
    better = True
    for task in tasks:
        name = f"{task.name}_{task.primary_metric}"
        sign = 1 if task.higher_is_better else -1
        better &= sign * (model[name] - trivial[name]) > 0
        print(f"{name:<24}{trivial[name]:>9.4f}{model[name]:>9.4f}")
    return 0 if better else 1


def constants(source):
    """The best constant prediction of each task, `(1, 1, 1, channels)`."""
    labels, depths, normals = (
        np.stack([source.read(i, name) for i in range(source.num_images)])
        for name in ("segmentation", "depth", "normals")
    )
    counts = np.bincount(labels[labels >= 0], minlength=13)
    mean = normals.mean(axis=(0, 1, 2))
    values = {
        "segmentation": np.eye(13)[counts.argmax()],
        "depth": np.median(depths[depths > 0])[None],
        "normals": mean / np.linalg.norm(mean),
    }
    return {k: v.reshape((1, 1, 1, -1)) for k, v in values.items()}


def evaluate(tasks, values):
    """Metrics of predicting `values` on the validation set."""
    scoring = Scoring(tasks)
    for x, y, weights in jtr.data.rooms("val", tasks):
        predictions = {
            name: np.broadcast_to(value, (*x.shape[:-1], value.shape[-1]))
            for name, value in values.items()
        }
        floats = {k: v.astype("float32") for k, v in predictions.items()}
        scoring.update(y, floats, weights)
    return {m.name: float(m.result()) for m in scoring.metrics}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
