"""Time and memory of all processes of a training, killed ones among them."""

import json
import pathlib
import time
from typing import Any


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

    def begin(self, flags: dict[str, Any]) -> None:
        """Says that a process starts, and with which flags."""
        lines = self._read()
        if lines and "begin" in lines[-1]:
            last = self.log.stat().st_mtime
            self._end(lines[-1]["begin"], last, mib=0.0, status=None)
        self._append({"begin": time.time(), "flags": flags})

    def end(self, mib: float, status: int) -> None:
        """Says how it ended, and its largest resident size in MiB."""
        self._end(self._read()[-1]["begin"], time.time(), mib, status)

    def done(self, flags: dict[str, Any]) -> bool:
        """Whether the last process had these flags and ended well."""
        begin, end = [{}, {}, *self._read()][-2:]
        return begin.get("flags") == flags and end.get("status") == 0

    def totals(self) -> tuple[float, float]:
        """Seconds of all together, and the largest size of any in MiB."""
        ends = [line for line in self._read() if "seconds" in line]
        seconds = sum(line["seconds"] for line in ends)
        return seconds, max(line["mib"] for line in ends)

    def _end(
        self, begin: float, end: float, mib: float, status: int | None
    ) -> None:
        seconds = max(end - begin, 0.0)
        self._append({"seconds": seconds, "mib": mib, "status": status})

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(s) for s in self.path.read_text().splitlines()]
