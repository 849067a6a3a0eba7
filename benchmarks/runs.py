"""One run of a comparison."""

import csv
import dataclasses
import hashlib
import json
import pathlib
import statistics
from typing import Any

import numpy as np

from benchmarks import revisions
from benchmarks.methods import parts
from benchmarks.processes import Processes
from benchmarks.training import train


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
        self,
        folder: pathlib.Path,
        labels: pathlib.Path,
        threads: int,
        revision: str,
    ) -> dict[str, Any]:
        """Trains and evaluates; goes on where an earlier process ended.

        What has ended well is not started again.

        Args:
            folder: Where the run keeps what it writes.
            labels: File that says which image has which label.
            threads: Threads of TensorFlow, 0 for its own choice.
            revision: That of the code now.

        Returns:
            The revisions that made it, all arguments of the regularization,
            seconds of all processes, median seconds a step, MiB at the peak,
            and metrics; of several networks, seconds are summed and there is
            no `delta_mtl`.

        Raises:
            RuntimeError: If training fails.
        """
        networks = self._networks(folder, labels)
        left = {w: f for w, f in networks.items() if not Processes(w).done(f)}
        made_by = revisions.note(folder, revision, finished=not left)
        names = ("seconds", "seconds_per_step", "peak_mib")
        row: dict[str, Any] = {"revision": made_by} | dict.fromkeys(names, 0.0)
        for workdir in networks:
            if workdir in left:
                train(workdir, left[workdir], threads)
            seconds, memory = Processes(workdir).totals()
            metrics = json.loads((workdir / "metrics.json").read_text())
            row |= {k: v for k, v in metrics.items() if not k.endswith("loss")}
            config = json.loads((workdir / "config.json").read_text())
            row["regularization"] = json.dumps(config["regularization"])
            row["seconds"] += seconds
            row["seconds_per_step"] += _seconds(workdir / "history.csv")
            row["peak_mib"] = max(row["peak_mib"], memory)
        if len(networks) > 1:  # Each has one of its own tasks alone.
            row.pop("delta_mtl", None)
        return row

    def _networks(
        self, folder: pathlib.Path, labels: pathlib.Path
    ) -> dict[pathlib.Path, dict[str, Any]]:
        """Folder and all flags of each network."""
        common = {
            "epochs": self.epochs(len(np.load(labels))),
            "validate": False,
            "check": False,
            "labels": str(labels),
        }
        return {
            folder / str(index): flags | common
            for index, flags in enumerate(self.flags)
        }


def _seconds(history: pathlib.Path) -> float:
    with history.open() as file:
        rows = list(csv.DictReader(file))
    return statistics.median(float(row["seconds_per_step"]) for row in rows)
