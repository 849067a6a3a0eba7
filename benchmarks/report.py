"""Tables and plots of compared methods."""

import math

import numpy as np

from benchmarks.methods import ABLATIONS, METHODS, SINGLE_TASK, SUPERVISED
from jtr_keras.metrics import DeltaMTL


def report(rows, tasks, plot):
    """Prints a Markdown table for each label setting and plots the gains.

    Args:
        rows: Rows of the CSV.
        tasks: The tasks, whose primary metrics are compared.
        plot: Where the plot goes.
    """
    settings = list(dict.fromkeys(row["labels"] for row in rows))
    gains = {}
    for setting in settings:
        chosen = [row for row in rows if row["labels"] == setting]
        gains[setting] = all_gains(chosen, tasks, SUPERVISED)
        print(f"\n{setting}\n")
        print("\n".join(table(chosen, tasks, gains[setting])))
        if compared(gains[setting]):
            print(f"\n{setting}, gains of each task\n")
            print("\n".join(task_table(chosen, tasks)))
    plot_gains(gains, plot)
    hours = sum(float(row["seconds"]) for row in rows) / 3600
    print(f"\nThe runs took {hours:.1f} hours. Plot: {plot}")


def primary_metric(row, task):
    """The metric of a task that counts."""
    return float(row[f"{task.name}_{task.primary_metric}"])


def gain(row, baseline, tasks):
    """Delta MTL of a run over another, in percent."""
    delta = DeltaMTL(
        {task.name: primary_metric(baseline, task) for task in tasks},
        {task.name: task.higher_is_better for task in tasks},
    )
    values = {task.name: primary_metric(row, task) for task in tasks}
    return float(delta.gain(values, dict.fromkeys(values, 1.0)))


def all_gains(rows, tasks, baseline):
    """For each method the gains over the baseline's run of the same seed.

    They are in the order of their seeds.
    """
    rows = sorted(rows, key=lambda row: int(row["seed"]))
    bases = {r["seed"]: r for r in rows if r["method"] == baseline}
    return {
        method: [
            gain(row, bases[row["seed"]], tasks)
            for row in rows
            if row["method"] == method and row["seed"] in bases
        ]
        for method in METHODS | ABLATIONS
    }


def table(rows, tasks, gains):
    """Lines of the table of a label setting."""
    single = all_gains(rows, tasks, SINGLE_TASK)
    heads = [f"{t.name} {t.primary_metric}" for t in tasks]
    names = ["method", "runs", *heads, "delta % over supervised"]
    names += ["of each run", "standard error", "delta % over single-task"]
    names += ["s/step", "MiB"]
    lines = [line(names), "|---" * len(names) + "|"]
    for method in METHODS | ABLATIONS:
        own = [row for row in rows if row["method"] == method]
        if not own:
            continue
        cells = [method, str(len(own))]
        cells += [spread([primary_metric(r, t) for r in own]) for t in tasks]
        over = gains[method] if method != SUPERVISED else []
        each = ", ".join(f"{value:.1f}" for value in over)
        cells += [pairs(over, len(own)), each, standard_error(over)]
        cells += [pairs(single[method], len(own))]
        for name, digits in (("seconds_per_step", 3), ("peak_mib", 0)):
            cells.append(
                f"{np.median([float(r[name]) for r in own]):.{digits}f}"
            )
        lines.append(line(cells))
    return lines


def task_table(rows, tasks):
    """Lines of the table of gains over supervised training by task."""
    heads = [f"{task.name} {task.primary_metric}" for task in tasks]
    names = ["method", "all tasks", *heads]
    lines = [line(names), "|---" * len(names) + "|"]
    groups = [tasks, *([task] for task in tasks)]
    found = [all_gains(rows, group, SUPERVISED) for group in groups]
    for method in compared(found[0]):
        each = [mean_gain(gains[method]) for gains in found]
        lines.append(line([method, *each]))
    return lines


def compared(gains):
    """The methods with a gain over supervised training, but that itself."""
    return [m for m in gains if gains[m] and m != SUPERVISED]


def line(cells):
    """A line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def mean_gain(gains):
    """Mean and standard error of gains, and how many runs gained, as text."""
    error = standard_error(gains, 1)
    mean = f"{np.mean(gains):.1f}" + (f" ± {error}" if error else "")
    return f"{mean} ({sum(g > 0 for g in gains)} of {len(gains)})"


def spread(values, digits=4):
    """Mean and standard deviation as text."""
    if not values:
        return ""
    mean = f"{np.mean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    return f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


def pairs(gains, runs):
    """Their spread, and how many they are where not every run has one."""
    partial = gains and len(gains) != runs
    return spread(gains, 2) + (f" ({len(gains)})" if partial else "")


def standard_error(values, digits=2):
    """Standard error of the mean as text."""
    if len(values) < 2:
        return ""
    return f"{np.std(values, ddof=1) / math.sqrt(len(values)):.{digits}f}"


def plot_gains(gains, path):
    """Plots gains over supervised training: a dot a run, a bar the mean.

    Across its end is the standard deviation.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1, len(gains), figsize=(5 * len(gains), 3.5), sharex=True, squeeze=False
    )
    for axis, (setting, by_method) in zip(axes[0], gains.items(), strict=True):
        shown = compared(by_method)
        for place, method in enumerate(shown):
            values = by_method[method]
            deviation = np.std(values, ddof=1) if len(values) > 1 else None
            axis.barh(
                place,
                np.mean(values),
                xerr=deviation,
                color="lightsteelblue",
                ecolor="gray",
                capsize=3,
            )
            axis.plot(values, [place] * len(values), "o", color="navy", ms=4)
        axis.set_yticks(range(len(shown)), shown)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(setting)
        axis.set_xlabel("delta MTL over supervised, %")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
