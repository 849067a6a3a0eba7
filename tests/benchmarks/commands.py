"""Runs a script of `benchmarks/` within the process of a test."""

from absl import flags


def run(module, *arguments):
    """Calls its `main` with these flags, which are forgotten afterwards."""
    before = set(flags.FLAGS)
    module.define_flags()
    try:
        flags.FLAGS(["benchmark", *arguments])
        module.main(None)
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
