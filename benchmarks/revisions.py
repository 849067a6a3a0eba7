"""Revisions of the code that made a run."""

import pathlib
import subprocess

UNKNOWN = "unknown"
"""Stands for the code of a run that was begun before revisions were kept."""


def current() -> str:
    """The commit, with a + where the tree differs from it."""
    git = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    here = pathlib.Path(__file__).parent
    return subprocess.check_output(git, cwd=here, text=True).strip()


def note(folder: pathlib.Path, now: str, finished: bool) -> str:
    """Keeps in a run's folder which revisions made the run.

    Whose process ended before its first epoch did has made nothing.

    Args:
        folder: The folder of the run, with one for each network in it.
        now: The present revision; it makes what is not finished.
        finished: Whether all networks are.

    Returns:
        All of them in order, such as `"dd67796, 1350bbe"`.
    """
    path = folder / "revision.txt"
    found: list[str] = []
    # They are written at the end of an epoch and of a training.
    if any(folder.glob("*/backup")) or any(folder.glob("*/metrics.json")):
        written = path.read_text() if path.exists() else ""
        found = written.split() or [UNKNOWN]
    if not finished and now not in found:
        found.append(now)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(found) + "\n")
    return ", ".join(found)
