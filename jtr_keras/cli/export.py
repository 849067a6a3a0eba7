"""`jtr export`."""

import pathlib
import shutil
import tempfile
from collections.abc import Sequence

from absl import flags

from jtr_keras.cli.workdir import load_model


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Writes `OUTPUT/VERSION`, all at once, under the next free number."""
    if arguments:
        raise ValueError(f"Unexpected arguments: {list(arguments)}.")
    model = load_model(values.model)
    folder = pathlib.Path(values.output)
    folder.mkdir(parents=True, exist_ok=True)
    # A server that polls the folder must never see half a version.
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    try:
        model.export(temporary / "model", verbose=False)
        target = folder / str(_next_version(folder))
        (temporary / "model").rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    names = ", ".join(task.name for task in model.tasks)
    print(f"{target}: from `images` (batch, height, width, 3) to {names}")


def _next_version(folder: pathlib.Path) -> int:
    taken = [int(p.name) for p in folder.iterdir() if p.name.isdecimal()]
    return max(taken, default=0) + 1
