"""Flags that several commands have, and the kinds of their values.

Light, as all modules of commands: TensorFlow is loaded when a command runs.
"""

import argparse
import json
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

from jtr_keras.registry import DATASETS, READ_FROM_ROOT, Registry

NONE = "none"
_WORDS = {"true": True, "True": True, "1": True}
_WORDS |= {"false": False, "False": False, "0": False}


class Kind(NamedTuple):
    """A kind of value.

    Args:
        metavar: What it is called in the help.
        parse: From the text to the value; raises ValueError with what was
            expected.
    """

    metavar: str
    parse: Callable[[str], Any] = str

    def __call__(self, text: str) -> Any:
        try:
            return self.parse(text)
        except ValueError as error:
            # Of another error, argparse says nothing but that there is one.
            raise argparse.ArgumentTypeError(
                f"{error}; got {text!r}."
            ) from error


def _json(text: str) -> Any:
    expected = 'must be a JSON object, such as {"name": 1}'
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{expected} ({error})") from error
    if not isinstance(value, dict):
        raise ValueError(expected)
    return value


def _integer(text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        raise ValueError("must be an integer")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError("must be a positive integer")
    return int(text)


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise ValueError("must be a number of at least 0")
    return value


def _size(text: str) -> tuple[int, ...]:
    sides = text.split(",")
    if len(sides) != 2 or not all(x.isdecimal() and int(x) for x in sides):
        raise ValueError("must be HEIGHT,WIDTH, such as 96,128")
    return tuple(map(int, sides))


def _path(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ValueError("must be names with commas between them")
    return names


TEXT = Kind("TEXT")
NAMES = Kind("NAME,NAME", _names)
JSON = Kind("JSON", _json)
INTEGER = Kind("N", _integer)
COUNT = Kind("N", _count)
RATE = Kind("RATE", _rate)
SIZE = Kind("HEIGHT,WIDTH", _size)
FOLDER = Kind("FOLDER", _path)
PATH = Kind("PATH", _path)


def one_of(*names: str) -> dict[str, Any]:
    """Options of `add` for a flag whose value is one of some names."""
    return {"choices": names, "metavar": "NAME"}


def add(
    parser: Any,
    name: str,
    text: str,
    default: Any = None,
    kind: Kind = TEXT,
    **options: Any,
) -> None:
    """Adds a flag, with its default in its help.

    Args:
        parser: A parser, or a group of its arguments.
        name: Name of the flag.
        text: Its help.
        default: Its value where it is not given.
        kind: What its value may be.
        **options: Arguments of `add_argument`.
    """
    if default is not None:
        text = f"{text} Default: %(default)s."
    given = {"default": default, "help": text, "type": kind}
    parser.add_argument(
        f"--{name}", **(given | {"metavar": kind.metavar} | options)
    )


def add_switch(
    parser: Any, name: str, text: str, default: bool | None = None
) -> None:
    """Adds a flag that is on or off: `--name`, `--noname`, `--name=false`.

    Args:
        parser: A parser, or a group of its arguments.
        name: Name of the flag.
        text: Its help.
        default: Its value where it is not given.
    """
    if default is not None:
        text = f"{text} Default: {str(default).lower()}."
    # Each form is a flag without a value, since one with an optional value
    # would take the argument behind it. Help shows the last, as absl does.
    forms = {f"--{name}": True, f"--no{name}": False}
    forms |= {f"--{name}={word}": value for word, value in _WORDS.items()}
    shown = f"--[no]{name}"
    for form, value in (forms | {shown: True}).items():
        parser.add_argument(
            form,
            dest=name,
            action="store_const",
            const=value,
            default=default,
            help=text if form == shown else argparse.SUPPRESS,
        )


def add_choice(
    parser: Any,
    registry: Registry,
    text: str,
    default: str,
    optional: bool = False,
) -> None:
    """Adds the flag `--KIND`, a name in a registry, and `--KIND_options`.

    Args:
        parser: A parser, or a group of its arguments.
        registry: The registry, whose `kind` is the name of the flag.
        text: Help of the flag; the names are added to it.
        default: Its value where it is not given.
        optional: Whether there may be none.
    """
    kind = registry.kind
    names = one_of(*registry, *([NONE] if optional else []))
    add(parser, kind, f"{text} One of %(choices)s.", default, **names)
    add(parser, f"{kind}_options", "JSON object: its arguments.", kind=JSON)


def make_choice(args: argparse.Namespace, registry: Registry) -> Any:
    """What the flags of `add_choice` mean; None for none.

    Args:
        args: Values of all flags.
        registry: As for `add_choice`.

    Raises:
        ValueError: If the options are wrong.
    """
    name, options = _choice(args, registry)
    try:
        return None if name == NONE else registry.make(name, options)
    except ValueError as error:
        raise ValueError(f"--{registry.kind}_options: {error}") from error


def refuse_options_of_none(
    args: argparse.Namespace, *registries: Registry
) -> None:
    """ValueError if there are options for what is not there."""
    for registry in registries:
        name, options = _choice(args, registry)
        if name == NONE and options:
            raise ValueError(
                f"--{registry.kind}_options are given, but "
                f"--{registry.kind}=none."
            )


def _choice(args: argparse.Namespace, registry: Registry) -> tuple[str, Any]:
    kind = registry.kind
    return getattr(args, kind), getattr(args, f"{kind}_options")


def add_data(parser: Any, default: str | None) -> None:
    """Adds the flags that say which data, and how many at once."""
    text = (
        "Data set, one of %(choices)s. rooms is synthetic and comes with the "
        "package; folder has PNG files in the layout of rooms."
    )
    add(parser, "dataset", text, default, **one_of(*DATASETS))
    text = "Folder that holds the splits; rooms needs none."
    add(parser, "root", text, kind=FOLDER)
    add(parser, "batch_size", "Images of a batch.", 8, COUNT)


def require_root(dataset: str, root: str | None) -> str:
    """The folder of a data set, empty where it needs none.

    Raises:
        ValueError: If the data set has no such name, or the folder is missing.
    """
    DATASETS.require(dataset)
    if dataset in READ_FROM_ROOT and not root:
        raise ValueError(f"The dataset {dataset!r} needs --root=FOLDER.")
    if root and not pathlib.Path(root).is_dir():
        raise ValueError(f"--root: there is no folder {root}.")
    return root or ""
