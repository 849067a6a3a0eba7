"""Entry point; TensorFlow is loaded only when a command runs."""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from absl import (
    flags,
    logging,  # noqa: F401 - defines --verbosity and others.
)
from absl.flags import argparse_flags

from jtr_keras.cli import evaluate, export, predict, train
from jtr_keras.cli.arguments import NAMES, add, add_switch

COMMANDS: dict[str, Any] = {
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "export": export,
}
"""The modules of the commands: each adds its arguments and runs."""
BROKEN_PIPE = 141  # As of a program that the signal has ended.


class Parser(argparse_flags.ArgumentParser):
    """A parser of flags written in full, whose errors end in one sentence.

    Flags of absl are accepted too, such as --flagfile and --verbosity; one that
    a module defines gives way to the command's own of that name.
    """

    def __init__(self, **kwargs: Any) -> None:
        usual = {"allow_abbrev": False, "conflict_handler": "resolve"}
        super().__init__(**(usual | kwargs))

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        try:
            return super().parse_known_args(args, namespace)
        except flags.Error as error:  # Of a flag of absl.
            self.error(str(error))

    def error(self, message: str) -> NoReturn:
        sys.exit(f"{self.prog}: {message}\n`{self.prog} --help` says more.")

    def print_help(self, file: Any = None) -> None:
        try:
            print(self.format_help(), end="", file=file, flush=True)
        except BrokenPipeError:  # `| head` has read enough.
            _leave_pipe()


def main(argv: Sequence[str] | None = None) -> None:
    """Runs `jtr COMMAND ...`; ends the process with a message on bad input."""
    argv = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if argv[0] == "help":
        argv = [*argv[1:], "--help"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    early = Parser(prog="jtr", add_help=False)
    _add_common(early)
    known, _ = early.parse_known_args(argv)
    try:
        try:
            _import(vars(known)["import"])
            args = parse(argv)
            args.run(args)
        finally:
            sys.stdout.flush()  # Here, where a closed pipe is no surprise.
    except BrokenPipeError:
        _leave_pipe()
        sys.exit(BROKEN_PIPE)
    except Exception as error:
        if known.traceback or not _of_input(error):
            raise
        sys.exit(f"jtr {argv[0]}: {error}")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The flags of a command, with its function as `run`."""
    parser = Parser(
        prog="jtr",
        usage="%(prog)s COMMAND [FLAGS]",
        description="Multi-task dense prediction from partly labelled images.",
        epilog="`jtr COMMAND --help` lists the flags of a command.",
    )
    commands = parser.add_subparsers(
        title="commands",
        prog="jtr",
        dest="command",
        metavar="COMMAND",
        required=True,
    )
    for name, module in COMMANDS.items():
        summary = module.__doc__
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        _add_common(command.add_argument_group("every command"))
        command.set_defaults(run=module.run)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        command = commands.choices[args.command]
        command.error(_explain_unknown(unknown[0], list(vars(args))))
    return args


def _add_common(parser: Any) -> None:
    text = (
        "Modules that are imported first, of the current folder for example: "
        "what they put into a registry can then be chosen by name, and a model "
        "with their classes can be loaded."
    )
    add(parser, "import", text, kind=NAMES)
    add_switch(
        parser, "traceback", "Show where in the code an error arose.", False
    )


def _import(modules: Sequence[str] | None) -> None:
    if modules and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for name in modules or ():
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ValueError(f"--import={name}: {error}.") from error


def _explain_unknown(argument: str, names: Sequence[str]) -> str:
    """What is wrong with an argument; flags have these names."""
    if not argument.startswith("-"):
        return f"unexpected argument {argument!r}."
    name = argument.lstrip("-").split("=")[0]
    similar = difflib.get_close_matches(name, names, n=1)
    hint = f" Is --{similar[0]} meant?" if similar else ""
    return f"there is no flag --{name}.{hint}"


def _of_input(error: Exception) -> bool:
    """Whether bad input raises such errors, so that a message says enough."""
    # By name, as TensorFlow need not have been loaded.
    of_files = ("NotFoundError", "InvalidArgumentError", "DataLossError")
    return (
        isinstance(error, ValueError | OSError | ImportError)
        or type(error).__name__ in of_files
    )


def _leave_pipe() -> None:
    """Keeps Python from complaining, at its end, that nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
