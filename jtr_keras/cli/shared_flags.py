"""Flags of every command; light, since `--help` loads no TensorFlow."""

import json
from typing import Any

from absl import flags


class JsonParser(flags.ArgumentParser[dict[str, Any]]):
    """A flag whose value is a JSON object."""

    syntactic_help = "a JSON object"

    def parse(self, argument: Any) -> dict[str, Any]:
        try:
            value = (
                argument if isinstance(argument, dict) else json.loads(argument)
            )
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON ({error})") from error
        if not isinstance(value, dict):
            raise ValueError('must be a JSON object, such as {"name": 1}')
        return value

    def flag_type(self) -> str:
        return "json"


def define_text(
    values: flags.FlagValues, name: str, default: Any, text: str
) -> None:
    """A flag whose value is a text."""
    flags.DEFINE_string(name, default, text, flag_values=values)


def define_json(values: flags.FlagValues, name: str, text: str) -> None:
    """A flag whose value is a JSON object, by default none."""
    flags.DEFINE(
        JsonParser(),
        name,
        None,
        f"{text} A JSON object.",
        flag_values=values,
        serializer=flags.ArgumentSerializer(),
    )


def define_data(values: flags.FlagValues, default: str | None) -> None:
    """Which data, and how many at once."""
    define_text(
        values,
        "dataset",
        default,
        "rooms (synthetic, comes with the package), folder (PNG files in the "
        "layout of Rooms), nyuv2 or cityscapes (.npy files).",
    )
    define_text(
        values, "root", None, "Folder that holds the splits; not for rooms."
    )
    flags.DEFINE_integer(
        "batch_size", 8, "Images of a batch.", 1, flag_values=values
    )
