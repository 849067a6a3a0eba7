"""Whole or not at all: how exports reach their final place."""

import pathlib
import tempfile
from collections.abc import Callable

PathLike = str | pathlib.Path


def publish_version(
    path: PathLike, write: Callable[[pathlib.Path], None]
) -> pathlib.Path:
    """Writes a folder `NAME/VERSION` all at once.

    It is written beside its place and renamed, so that a server that polls
    `NAME` never sees half a version. A process that is killed leaves at most a
    hidden folder `.export-*`, which may be deleted.

    Args:
        path: `NAME`, for the next free version, or `NAME/VERSION`, where
            `VERSION` is an integer.
        write: Makes and fills the folder that it is given.

    Returns:
        The version's folder.

    Raises:
        FileExistsError: If that version exists.
    """
    path = pathlib.Path(path)
    wanted = path if path.name.isdecimal() else None
    if wanted is not None and wanted.exists():
        raise _exists(wanted)
    name = path if wanted is None else path.parent
    name.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=name) as temporary:
        source = pathlib.Path(temporary) / "version"
        write(source)
        target = wanted or name / str(_next_version(name))
        while not _move(source, target):
            if wanted is not None:  # Another process was faster.
                raise _exists(target)
            target = name / str(_next_version(name))
    return target


def publish_files(
    path: PathLike, write: Callable[[pathlib.Path], None]
) -> pathlib.Path:
    """Writes a file, and those that belong to it, when all are complete.

    Args:
        path: The file.
        write: Writes a file of the same name in another folder, and maybe
            others that differ in the suffix.

    Returns:
        The file.

    Raises:
        FileExistsError: If it exists.
    """
    path = pathlib.Path(path)
    if path.exists():
        raise _exists(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".export-", dir=path.parent
    ) as temporary:
        source = pathlib.Path(temporary) / path.name
        write(source)
        # The file that users name comes last, when the others are there.
        others = [file for file in source.parent.iterdir() if file != source]
        for file in (*others, source):
            file.rename(path.parent / file.name)
    return path


def latest_version(path: PathLike) -> pathlib.Path | None:
    """The SavedModel that a path means: itself, or its highest version."""
    path = pathlib.Path(path)
    if is_saved_model(path):
        return path
    if not path.is_dir():
        return None
    versions = [int(p.name) for p in _versions(path) if is_saved_model(p)]
    return path / str(max(versions)) if versions else None


def find_saved_model(path: PathLike) -> pathlib.Path:
    """As `latest_version`; ValueError if there is none."""
    folder = latest_version(path)
    if folder is None:
        raise ValueError(f"There is no SavedModel in {path}.")
    return folder


def is_saved_model(path: pathlib.Path) -> bool:
    """Whether a folder holds a SavedModel."""
    return (path / "saved_model.pb").is_file()


def _versions(name: pathlib.Path) -> list[pathlib.Path]:
    return [p for p in name.iterdir() if p.name.isdecimal()]


def _next_version(name: pathlib.Path) -> int:
    return max((int(p.name) for p in _versions(name)), default=0) + 1


def _move(source: pathlib.Path, target: pathlib.Path) -> bool:
    """Renames a folder unless there is something; says whether it did."""
    if target.exists():
        return False
    try:
        source.rename(target)
    except OSError:  # It has appeared in the meantime, and is not empty.
        if target.exists():
            return False
        raise
    return True


def _exists(path: pathlib.Path) -> FileExistsError:
    return FileExistsError(
        f"{path} exists, and exports overwrite nothing. Delete it or choose "
        "another place."
    )
