"""One run of a comparison: training in a process of its own."""

import csv
import dataclasses
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
from typing import Any

import numpy as np

from benchmarks.methods import parts
from benchmarks.processes import Processes


@dataclasses.dataclass(frozen=True)
class Run:
    """A method with a seed in a label setting.

    Args:
        method: A key of `METHODS` or `ABLATIONS`.
        labels: A label setting.
        seed: Seed of weights, labels, order and views.
        steps: Steps of a network that trains on all images.
        tasks: Names of the tasks.
        shared: Flags of `jtr train` that all methods share.
    """

    method: str
    labels: str
    seed: int
    steps: int
    tasks: tuple[str, ...]
    shared: dict[str, Any]

    @property
    def flags(self) -> list[dict[str, Any]]:
        """Flags of each network that the method trains."""
        own = {"labels": self.labels, "seed": self.seed}
        return [
            self.shared | own | part
            for part in parts(self.method, list(self.tasks))
        ]

    @property
    def key(self) -> str:
        """What makes this run another than all others."""
        return json.dumps(
            {"steps": self.steps, "networks": self.flags}, sort_keys=True
        )

    @property
    def name(self) -> str:
        """Its folder's name."""
        digest = hashlib.sha256(self.key.encode()).hexdigest()[:10]
        return f"{self.method}-{digest}"

    def epochs(self, num_images: int) -> int:
        """How often every network sees the images that it trains on."""
        steps_per_epoch = max(num_images // self.shared["batch_size"], 1)
        return max(round(self.steps / steps_per_epoch), 1)

    def execute(
        self, folder: pathlib.Path, labels: pathlib.Path, threads: int
    ) -> dict[str, Any]:
        """Trains and evaluates; goes on where an earlier process ended.

        Args:
            folder: Where the run keeps what it writes.
            labels: File that says which image has which label.
            threads: Threads of TensorFlow, 0 for its own choice.

        Returns:
            Seconds of all processes, median seconds a step, MiB at the peak,
            and metrics; of several networks, seconds are summed.

        Raises:
            RuntimeError: If training fails.
        """
        names = ("seconds", "seconds_per_step", "peak_mib")
        row: dict[str, Any] = dict.fromkeys(names, 0.0)
        length = {
            "epochs": self.epochs(len(np.load(labels))),
            "validate": False,
            "check": False,
        }
        for index, flags in enumerate(self.flags):
            workdir = folder / str(index)
            given = flags | length | {"labels": str(labels)}
            _train(workdir, given, threads)
            seconds, memory = Processes(workdir).totals()
            metrics = json.loads((workdir / "metrics.json").read_text())
            row |= {k: v for k, v in metrics.items() if not k.endswith("loss")}
            row["seconds"] += seconds
            row["seconds_per_step"] += _seconds(workdir / "history.csv")
            row["peak_mib"] = max(row["peak_mib"], memory)
        return row


def _train(workdir: pathlib.Path, flags: dict[str, Any], threads: int) -> None:
    """Runs `jtr train`, and keeps how long it took and how large it was."""
    workdir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jtr_keras.cli.main", "train"]
    for name, value in (flags | {"workdir": str(workdir)}).items():
        command.append(f"--{name}={_written(value)}")
    environment = dict(os.environ)
    if threads:
        environment["TF_NUM_INTRAOP_THREADS"] = str(threads)
        # With a single one, an epoch's new iterator waits for seconds.
        environment["TF_NUM_INTEROP_THREADS"] = str(max(threads, 2))
    processes = Processes(workdir)
    log = processes.log
    with log.open("a") as file:
        processes.begin()
        process = subprocess.Popen(
            command, stdout=file, stderr=file, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
    processes.end(usage.ru_maxrss / 1024)  # KiB on Linux.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(log.read_text().splitlines()[-5:])
        raise RuntimeError(f"jtr train failed, see {log}:\n{tail}")


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict | bool) else str(value)


def _seconds(history: pathlib.Path) -> float:
    with history.open() as file:
        rows = list(csv.DictReader(file))
    return statistics.median(float(row["seconds_per_step"]) for row in rows)
