"""Time and memory of all processes of a training, killed ones among them."""

import json
import pathlib
import time


class Processes:
    """A line for the start and one for the end of each process.

    Who is killed together with the process that waits for it has no end; its
    time then counts up to what it last wrote to its log.

    Args:
        folder: The folder of the training.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / "processes.jsonl"
        self.log = folder / "log.txt"

    def begin(self) -> None:
        """Says that a process starts."""
        lines = self._read()
        if lines and "begin" in lines[-1]:
            self._end(lines[-1]["begin"], self.log.stat().st_mtime, mib=0.0)
        self._append({"begin": time.time()})

    def end(self, mib: float) -> None:
        """Says that it ended, and its largest resident size in MiB."""
        self._end(self._read()[-1]["begin"], time.time(), mib)

    def totals(self) -> tuple[float, float]:
        """Seconds of all together, and the largest size of any in MiB."""
        ends = [line for line in self._read() if "seconds" in line]
        seconds = sum(line["seconds"] for line in ends)
        return seconds, max(line["mib"] for line in ends)

    def _end(self, begin: float, end: float, mib: float) -> None:
        self._append({"seconds": max(end - begin, 0.0), "mib": mib})

    def _append(self, line: dict[str, float]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self) -> list[dict[str, float]]:
        if not self.path.exists():
            return []
        return [json.loads(s) for s in self.path.read_text().splitlines()]
