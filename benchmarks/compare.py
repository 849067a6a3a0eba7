"""Compares methods on the same data, backbone and budget.

    python -m benchmarks.compare                    # everything, resumable
    python -m benchmarks.compare --methods=supervised,label_restoration
    python -m benchmarks.compare --report           # table and plot alone
    python -m benchmarks.compare '--train_split=train[:700]' \\
        '--val_split=train[700:]' --results=benchmarks/results/ablations.csv \\
        --methods=supervised,label_restoration,without_restoration

Every finished run is a row of the CSV and is not run again; a killed one goes
on at its last epoch. Every method gets the same number of epochs, images a
step and supervised views, and is evaluated after its last step: no epoch is
chosen. The networks of `single_task` train on their labelled images alone, so
that every label counts as often as in other methods. Reports compare runs of
the same seed, which share labels, order of images and views.

`revision` names all code that made a row, in order: several commits where a
killed run went on at another one, the old one alone where a run had ended.
"""

import concurrent.futures
import csv
import dataclasses
import hashlib
import json
import pathlib
import sys
import threading
import uuid

import numpy as np
from absl import app, flags

from benchmarks import revisions
from benchmarks.methods import (
    ABLATIONS,
    BACKBONE_OPTIONS,
    HEAD_FILTERS,
    METHODS,
    VIEWS,
)
from benchmarks.report import report
from benchmarks.runs import Run
from jtr_keras.data import DATASETS, label_matrix

FLAGS = flags.FLAGS


def main(_):
    tasks = make_tasks(FLAGS.tasks)
    runs = planned(tuple(task.name for task in tasks))
    results = Results(pathlib.Path(FLAGS.results))
    failed = False
    if not FLAGS.report:
        failed = execute(runs, results)
    found = {row["key"]: row for row in results.read()}
    rows = [found[run.key] for run in runs if run.key in found]
    if rows:
        report(rows, tasks, results.path.with_suffix(".png"))
    if failed:
        sys.exit("Some runs failed; the same command runs them again.")


def make_tasks(names):
    options = json.loads(FLAGS.task_options or "{}")
    return DATASETS.find(FLAGS.dataset).make_tasks(names, options)


def planned(tasks):
    """All runs, seed by seed, so that what is done is always comparable."""
    known = METHODS | ABLATIONS
    unknown = sorted(set(FLAGS.methods) - set(known))
    if unknown:
        sys.exit(f"There is no method {unknown}; there are {sorted(known)}.")
    shared = {
        name: FLAGS[name].value
        for name in (
            *("dataset", "root", "train_split", "val_split", "batch_size"),
            *(
                "task_options",
                "learning_rate",
                "backbone",
                "backbone_options",
                "head_filters",
            ),
        )
        if FLAGS[name].value is not None
    } | {"supervised_views": FLAGS.views}
    return [
        Run(method, labels, int(seed), FLAGS.steps, tasks, shared)
        for seed in FLAGS.seeds
        for labels in FLAGS.labels
        for method in FLAGS.methods
    ]


@dataclasses.dataclass
class Results:
    """The CSV of finished runs; safe for several threads."""

    path: pathlib.Path
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def read(self):
        if not self.path.exists():
            return []
        with self.path.open() as file:
            return list(csv.DictReader(file))

    def append(self, row):
        with self.lock:
            rows = [*self.read(), row]
            names = list(dict.fromkeys(name for r in rows for name in r))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".tmp")
            with temporary.open("w") as file:
                writer = csv.DictWriter(file, names, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
            temporary.replace(self.path)


def execute(runs, results):
    """Runs what is not in the results yet; whether any run failed."""
    done = {row["key"] for row in results.read()}
    left = [run for run in runs if run.key not in done]
    try:
        files = [label_file(run) for run in left]
    except ValueError as error:  # Before the first of them takes its hours.
        sys.exit(f"--labels: {error}")
    print(
        f"{len(runs)} runs, {len(runs) - len(left)} of them done.", flush=True
    )
    failed = False
    with concurrent.futures.ThreadPoolExecutor(FLAGS.jobs) as pool:
        futures = {
            pool.submit(one, run, file, results): run
            for run, file in zip(left, files, strict=True)
        }
        finished = concurrent.futures.as_completed(futures)
        for count, future in enumerate(finished, 1):
            run = futures[future]
            name = f"{run.method} {run.labels} seed {run.seed}"
            try:
                said = f"{future.result() / 60:.1f} min"
            except (RuntimeError, ValueError, OSError) as error:
                failed, said = True, f"FAILED: {error}"
            print(f"[{count}/{len(left)}] {name}: {said}", flush=True)
    return failed


def one(run, labels, results):
    """Executes a run with a file of labels, keeps its row; its seconds."""
    # Now: while it trains, others may change the tree.
    revision = revisions.current()
    folder = pathlib.Path(FLAGS.runs) / run.name
    measured = run.execute(folder, labels, FLAGS.threads, revision)
    identity = {"labels": run.labels, "method": run.method, "seed": run.seed}
    rounded = {"seconds": f"{measured['seconds']:.0f}"}
    results.append(identity | measured | rounded | {"key": run.key})
    return measured["seconds"]


def label_file(run):
    """Which image has which label: the same for every method of a seed."""
    source = DATASETS.find(FLAGS.dataset).open(
        FLAGS.root or "", FLAGS.train_split
    )
    tasks = make_tasks(run.tasks)
    chosen = label_matrix(run.labels, source, tasks, run.seed)
    matrix = np.zeros((source.num_images, len(source.columns)), np.float32)
    matrix[:, [source.columns.index(name) for name in run.tasks]] = chosen
    folder = pathlib.Path(FLAGS.runs)
    folder.mkdir(parents=True, exist_ok=True)
    # The digest says what is in it; the rest of the name is for readers.
    digest = hashlib.sha256(matrix.tobytes()).hexdigest()[:10]
    labels = pathlib.Path(run.labels).stem  # It may be the path of a file.
    path = folder / f"labels-{labels}-{run.seed}-{digest}.npy"
    temporary = path.with_suffix(f".{uuid.uuid4().hex}")
    with temporary.open("wb") as file:
        np.save(file, matrix)
    temporary.replace(path)  # At once: another run may read it now.
    return path


def define_flags():
    flags.DEFINE_list("methods", list(METHODS), "Which methods.")
    flags.DEFINE_list("labels", ["onelabel", "randomlabels"], "Label settings.")
    flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds.")
    flags.DEFINE_integer(
        "steps", 4000, "Steps of a network that trains on all images.", 1
    )
    flags.DEFINE_integer("batch_size", 4, "Images of a batch.", 1)
    flags.DEFINE_integer("views", VIEWS, "Supervised views of each image.", 1)
    flags.DEFINE_float("learning_rate", 3e-3, "Peak rate of Adam.")
    flags.DEFINE_string("dataset", "rooms", "Any dataset of `jtr train`.")
    flags.DEFINE_string("root", None, "Folder of the dataset; not for rooms.")
    flags.DEFINE_string("train_split", "train", "Split or part to train on.")
    flags.DEFINE_string("val_split", "val", "Split or part to evaluate on.")
    flags.DEFINE_list("tasks", None, "Tasks; the dataset's usual ones if none.")
    flags.DEFINE_string("task_options", None, "Arguments of tasks, JSON.")
    flags.DEFINE_string("backbone", "unet", "Any backbone of `jtr train`.")
    flags.DEFINE_string(
        "backbone_options",
        json.dumps(BACKBONE_OPTIONS),
        "Its arguments, JSON.",
    )
    flags.DEFINE_integer(
        "head_filters", HEAD_FILTERS, "Channels inside each head.", 1
    )
    flags.DEFINE_string("results", "benchmarks/results/rooms.csv", "The CSV.")
    flags.DEFINE_string("runs", "runs/compare", "Folder of the runs.")
    flags.DEFINE_integer("jobs", 1, "Runs at the same time.", 1)
    flags.DEFINE_integer("threads", 0, "Threads of each run; 0 for all.", 0)
    flags.DEFINE_bool(
        "report", False, "Print and plot what there is; run nothing."
    )


if __name__ == "__main__":
    define_flags()
    app.run(main)
