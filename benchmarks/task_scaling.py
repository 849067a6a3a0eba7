"""Cost of a step against the number of tasks.

    python -m benchmarks.task_scaling
    python -m benchmarks.task_scaling --report  # of the CSV that there is

Compares supervised training, label restoration and cross-task consistency
(MTPSL). Each point is `benchmarks/step_cost.py` in a process of its own,
several times in turn. Writes a CSV and a plot, prints a table and, as its last
line, a JSON object with the slope that each added task costs, fitted by least
squares, as a share of the method's step with the fewest tasks; and the slope of
what the method adds to supervised training, as a share of the same.
"""

import csv
import json
import pathlib
import statistics
import subprocess
import sys

import numpy as np
from absl import app, flags

from jtr_keras.data import DATASETS

FLAGS = flags.FLAGS

METHODS = ("none", "label_restoration", "cross_task")


def options(method, labels, tasks):
    """Arguments of the regularization."""
    # With one label an image, no image has more pairs than this.
    few_pairs = method == "cross_task" and labels == "onelabel"
    return {"max_pairs": tasks - 1} if few_pairs else {}


def main(_):
    path = pathlib.Path(FLAGS.results)
    rows = read(path) if FLAGS.report else measure_all(path)
    summary = {
        f"{labels} {method}": summarise(rows, labels, method)
        for labels in FLAGS.labels
        for method in METHODS
    }
    plot_costs(rows, path.with_suffix(".png"))
    print(json.dumps(summary))


def read(path):
    """Rows of an earlier run."""
    numbers = {"tasks": int, "median_s": float, "peak_mib": float}
    with path.open() as file:
        return [
            row | {name: cast(row[name]) for name, cast in numbers.items()}
            for row in csv.DictReader(file)
        ]


def measure_all(path):
    """Measures every point and writes the rows."""
    names = list(DATASETS["rooms"].tasks)
    points = [
        (labels, method, int(count))
        for _ in range(FLAGS.rounds)
        for labels in FLAGS.labels
        for count in FLAGS.counts
        for method in METHODS
    ]
    rows = []
    for index, (labels, method, count) in enumerate(points, 1):
        rows.append(measure(labels, method, names[:count]))
        print(
            f"[{index}/{len(points)}] {labels}, {count} tasks, {method}: "
            f"{rows[-1]['median_s']:.3f} s, {rows[-1]['peak_mib']:.0f} MiB",
            flush=True,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def measure(labels, method, tasks):
    """A row: what one process took."""
    arguments = json.dumps(options(method, labels, len(tasks)))
    command = [
        *(sys.executable, "-m", "benchmarks.step_cost"),
        f"--regularization={method}",
        f"--regularization_options={arguments}",
        f"--tasks={','.join(tasks)}",
        f"--labels={labels}",
        f"--steps={FLAGS.steps}",
    ]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found = json.loads(output.splitlines()[-1])
    return {
        "labels": labels,
        "method": method,
        "tasks": len(tasks),
        "median_s": found["median_s"],
        "peak_mib": found["peak_mib"],
    }


def curve(rows, labels, method, column):
    """Numbers of tasks, and the median over rounds for each."""
    chosen = [r for r in rows if (r["labels"], r["method"]) == (labels, method)]
    counts = sorted({r["tasks"] for r in chosen})
    return counts, [
        statistics.median(r[column] for r in chosen if r["tasks"] == count)
        for count in counts
    ]


def summarise(rows, labels, method):
    """Cost with the fewest tasks and what a further task adds to it."""
    counts, seconds = curve(rows, labels, method, "median_s")
    _, memory = curve(rows, labels, method, "peak_mib")
    _, supervised = curve(rows, labels, METHODS[0], "median_s")

    def slope(values):
        each = np.polyfit(counts, values, 1)[0] if len(counts) > 1 else 0.0
        return round(100 * each / seconds[0], 1)

    return {
        "median_s": seconds[0],
        "peak_mib": memory[0],
        "slope_percent_per_task": slope(seconds),
        "slope_of_what_it_adds": slope(np.subtract(seconds, supervised)),
        "by_tasks_s": dict(zip(counts, np.round(seconds, 4), strict=True)),
    }


def plot_costs(rows, path):
    """Plots seconds and memory against the number of tasks."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        2, len(FLAGS.labels), figsize=(5 * len(FLAGS.labels), 6), squeeze=False
    )
    units = (("median_s", "seconds a step"), ("peak_mib", "MiB at the peak"))
    for column, labels in enumerate(FLAGS.labels):
        for line, (name, unit) in enumerate(units):
            axis = axes[line, column]
            for method in METHODS:
                axis.plot(
                    *curve(rows, labels, method, name), "o-", label=method
                )
            axis.set_ylim(bottom=0)
            axis.set_ylabel(unit)
            axis.set_xlabel("tasks")
            axis.set_title(labels)
            axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def define_flags():
    flags.DEFINE_list("counts", ["2", "3", "4", "6", "8"], "Numbers of tasks.")
    flags.DEFINE_list("labels", ["onelabel", "halflabels"], "Label settings.")
    flags.DEFINE_integer("rounds", 3, "Processes of each point.", 1)
    flags.DEFINE_integer("steps", 20, "Steps timed by each process.", 1)
    flags.DEFINE_string(
        "results", "benchmarks/results/task_scaling.csv", "The CSV."
    )
    flags.DEFINE_bool(
        "report", False, "Print and plot what there is; measure nothing."
    )


if __name__ == "__main__":
    define_flags()
    app.run(main)
