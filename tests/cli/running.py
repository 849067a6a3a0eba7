"""Running the command line in this process."""

import contextlib
import io

import keras

from jtr_keras.cli.main import main


def run(*arguments):
    """Runs a command that ends well; returns what it printed."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            main([str(argument) for argument in arguments])
    except SystemExit as error:
        if error.code:  # Help ends so too.
            raise
    finally:
        keras.config.set_dtype_policy("float32")
    return output.getvalue()
