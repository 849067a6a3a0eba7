"""How much lower than supervised training a method's training losses are.

    python -m benchmarks.learning_curves --methods=label_restoration

Reads what `benchmarks.compare` with the same flags left in its folder of runs:
a run and the supervised run of its seed see the same images, views and labels,
so that their losses differ by much less noise than metrics of 200 images do.
Prints by how many percent the supervised loss of each task is lower in each
quarter of the training, mean and standard error over seeds, and plots it.
"""

import csv
import dataclasses
import pathlib

import numpy as np
from absl import app, flags

from benchmarks.compare import define_flags, make_tasks, planned
from benchmarks.methods import SUPERVISED
from benchmarks.report import standard_error

FLAGS = flags.FLAGS


def main(_):
    names = tuple(task.name for task in make_tasks(FLAGS.tasks))
    found = {}
    for run in planned(names):
        pair = run, dataclasses.replace(run, method=SUPERVISED)
        curves = [losses(FLAGS.runs, each, names) for each in pair]
        there = all(curve is not None for curve in curves)
        if there and run.method != SUPERVISED:
            key = run.labels, run.method
            found.setdefault(key, []).append(lead(*curves))
    quarters = "first quarter | second | third | last"
    print(f"| labels | method | runs | task | {quarters} |")
    print("|---|---|---|---|---|---|---|---|")
    for (labels, method), leads in found.items():
        for task, curve in zip(names, np.stack(leads, axis=-1), strict=True):
            cells = " | ".join(map(spread, np.array_split(curve, 4)))
            print(f"| {labels} | {method} | {len(leads)} | {task} | {cells} |")
    if found:
        plot_curves(found, names, pathlib.Path(FLAGS.plot))


def losses(root, run, names):
    """Losses by task and epoch, or None where the run has not ended."""
    folder = pathlib.Path(root) / run.name / "0"
    if len(run.flags) > 1 or not (folder / "metrics.json").exists():
        return None
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    return np.array(
        [[float(row[f"{name}_loss"]) for row in rows] for name in names]
    )


def lead(curve, supervised):
    """Percent by which losses are lower."""
    return 100.0 * (1.0 - curve / supervised)


def spread(values):
    """Mean and standard error over runs of `(epochs, runs)`."""
    means = values.mean(axis=0)
    error = standard_error(means, 1)
    return f"{means.mean():+.1f}" + (f" ± {error}" if error else "")


def plot_curves(found, names, path):
    """A panel for each label setting and task, a line for each method."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings = list(dict.fromkeys(labels for labels, _ in found))
    figure, axes = pyplot.subplots(
        len(settings),
        len(names),
        figsize=(3 * len(names), 2.5 * len(settings)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for (labels, method), leads in found.items():
        for index, axis in enumerate(axes[settings.index(labels)]):
            curves = np.stack(leads, axis=-1)[index]
            epochs = np.arange(1, len(curves) + 1)
            (line,) = axis.plot(epochs, curves.mean(axis=-1), label=method)
            axis.plot(epochs, curves, color=line.get_color(), alpha=0.25)
            axis.axhline(0.0, color="grey", linewidth=0.5)
            axis.set_title(f"{labels}, {names[index]}", fontsize="small")
    axes[0, 0].legend(fontsize="small")
    figure.supxlabel("epoch")
    figure.supylabel("loss lower by %")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    print(f"Plot: {path}")


def define_plot():
    path = "benchmarks/results/learning_curves.png"
    flags.DEFINE_string("plot", path, "Where the plot goes.")


if __name__ == "__main__":
    define_flags()
    define_plot()
    app.run(main)
