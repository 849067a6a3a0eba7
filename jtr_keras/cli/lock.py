"""One training in a folder at a time."""

import os
import pathlib

try:
    import fcntl
except ImportError:  # Windows.
    fcntl = None  # type: ignore[assignment]

_HELD: dict[pathlib.Path, int] = {}


def lock(folder: pathlib.Path) -> None:
    """Keeps other processes from training in a folder until this one ends.

    The system frees the lock, however the process ends; its file stays. Does
    nothing where there are no such locks: on Windows, on some network drives.

    Args:
        folder: The folder.

    Raises:
        ValueError: If another process has the lock.
    """
    path = folder.resolve() / "lock"
    if fcntl is None or path in _HELD:
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(
            f"Another process trains in {folder}. Wait for its end, or use "
            "another --workdir."
        ) from None
    except OSError:
        os.close(descriptor)
        return
    _HELD[path] = descriptor
