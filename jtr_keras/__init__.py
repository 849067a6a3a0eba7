"""Multi-task dense prediction from partly labelled images, in Keras.

Importing this package is cheap: its rooms are loaded on first use, or as soon
as Keras is, so that `keras.saving.load_model` knows their classes.
"""

import importlib
from typing import TYPE_CHECKING, Any

import wrapt

from jtr_keras.backend import require_tensorflow
from jtr_keras.version import __version__ as __version__

if TYPE_CHECKING:
    from jtr_keras import (
        balancing,
        data,
        export,
        layers,
        metrics,
        models,
        ops,
        regularization,
        tasks,
        training,
    )
    from jtr_keras.regularization import JointTaskRegularization
    from jtr_keras.training import MultiTaskModel

_ROOMS = (
    "ops",
    "layers",
    "metrics",
    "tasks",
    "regularization",
    "balancing",
    "data",
    "models",
    "export",
    "training",
)
_SHORTCUTS = {
    "JointTaskRegularization": "regularization",
    "MultiTaskModel": "training",
}

__all__ = [
    "JointTaskRegularization",
    "MultiTaskModel",
    "balancing",
    "data",
    "export",
    "layers",
    "metrics",
    "models",
    "ops",
    "regularization",
    "tasks",
    "training",
]

require_tensorflow()


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _SHORTCUTS:
        room = importlib.import_module(f"{__name__}.{_SHORTCUTS[name]}")
        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@wrapt.when_imported("keras")
def _register(_: Any) -> None:
    """Loads every room, which registers its classes with Keras."""
    for room in _ROOMS:
        importlib.import_module(f"{__name__}.{room}")
