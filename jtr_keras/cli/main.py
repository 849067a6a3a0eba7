"""Entry point; TensorFlow is loaded only when a command runs."""

import importlib
import os
import sys
from collections.abc import Sequence

from absl import flags

from jtr_keras.cli.commands import COMMANDS, Command


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `jtr COMMAND ...`; ends the process with a message on bad input."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["help"]
    if name in ("help", "--help", "-h"):
        _say(usage())
        return
    if name not in COMMANDS:
        sys.exit(f"jtr: there is no command {name!r}.\n\n{usage()}")
    command = COMMANDS[name]
    values = flags.FlagValues()
    command.define(values)
    flags.DEFINE_boolean("help", False, "Show this help.", flag_values=values)
    flags.DEFINE_boolean(
        "traceback",
        False,
        "Show where in the code an error arose.",
        flag_values=values,
    )
    if {"--help", "-h", "-help"} & set(rest):
        _say(command_help(name, command, values))
        return
    try:
        positional = values([f"jtr {name}", *rest])[1:]
    except flags.Error as error:
        known = ", ".join(f"--{flag}" for flag in sorted(values))
        sys.exit(f"jtr {name}: {error}\nThere are {known}.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        module = importlib.import_module(f"jtr_keras.cli.{name}")
        module.run(values, positional)
    except Exception as error:
        if values["traceback"].value or not _of_input(error):
            raise
        sys.exit(f"jtr {name}: {error}")


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # `| head` has read enough; else Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_input(error: Exception) -> bool:
    """Whether bad input raises such errors, so that a message says enough."""
    # By name, as TensorFlow need not have been loaded.
    of_files = ("NotFoundError", "InvalidArgumentError", "DataLossError")
    return (
        isinstance(error, ValueError | OSError | ImportError)
        or type(error).__name__ in of_files
    )


def usage() -> str:
    """What the program does and which commands there are."""
    lines = [
        "Multi-task dense prediction from partly labelled images.",
        "",
        "Usage: jtr COMMAND [FLAGS]",
        "",
        *(f"  {name:<10}{c.summary}" for name, c in COMMANDS.items()),
        "",
        "`jtr COMMAND --help` lists the flags of a command.",
    ]
    return "\n".join(lines)


def command_help(name: str, command: Command, values: flags.FlagValues) -> str:
    """Usage and flags of one command."""
    lines = [command.summary, "", f"Usage: jtr {name} {command.arguments}", ""]
    for flag in sorted(values):
        default = values[flag].default_as_str
        note = f" Default: {default}." if default else ""
        lines.append(f"  --{flag}")
        lines += flags.text_wrap(
            values[flag].help + note, 78, "      "
        ).splitlines()
    return "\n".join(lines)


if __name__ == "__main__":
    main()
