"""One training in a process of its own."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from benchmarks.processes import Processes


def train(workdir: pathlib.Path, flags: dict[str, Any], threads: int) -> None:
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
        processes.begin(flags)
        process = subprocess.Popen(
            command, stdout=file, stderr=file, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # KiB on Linux.
    processes.end(usage.ru_maxrss / 1024, process.returncode)
    if process.returncode:
        tail = "\n".join(log.read_text().splitlines()[-5:])
        raise RuntimeError(f"jtr train failed, see {log}:\n{tail}")


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict | bool) else str(value)
