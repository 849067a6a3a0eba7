"""Which Keras backend is in use, found out without importing Keras."""

import json
import os
import pathlib
import sys


def backend_name() -> str:
    """Name of the Keras backend, by the rules that Keras itself follows."""
    if "keras" in sys.modules and hasattr(sys.modules["keras"], "config"):
        return str(sys.modules["keras"].config.backend())
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"]
    home = os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras"
    try:
        config = json.loads((pathlib.Path(home) / "keras.json").read_text())
        return str(config.get("backend", "tensorflow"))
    except (OSError, ValueError):
        return "tensorflow"


def require_tensorflow() -> None:
    """Raises ImportError unless Keras runs on TensorFlow."""
    name = backend_name()
    if name != "tensorflow":
        raise ImportError(
            f"jtr_keras needs the TensorFlow backend of Keras; it is {name!r} "
            "here. Set the environment variable KERAS_BACKEND=tensorflow "
            'before Keras is imported, or "backend": "tensorflow" in '
            "~/.keras/keras.json."
        )
