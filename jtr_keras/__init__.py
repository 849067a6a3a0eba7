"""Multi-task dense prediction from partly labelled images, in Keras.

Importing this package is cheap: its parts are loaded on first use, or as soon
as Keras is, so that `keras.saving.load_model` knows their classes.
"""

import importlib
from typing import TYPE_CHECKING, Any

import wrapt

from jtr_keras.backend import require_tensorflow
from jtr_keras.version import __version__ as __version__

if TYPE_CHECKING:
    from jtr_keras import (
        aggregation,
        balancing,
        callbacks,
        data,
        export,
        interaction,
        layers,
        metrics,
        models,
        ops,
        regularization,
        tasks,
        training,
        visualization,
    )
    from jtr_keras.regularization import (
        JointTaskRegularization,
        LabelRestoration,
    )
    from jtr_keras.training import MultiTaskModel

_PACKAGES = (
    "ops",
    "layers",
    "metrics",
    "tasks",
    "regularization",
    "balancing",
    "aggregation",
    "interaction",
    "data",
    "visualization",
    "models",
    "export",
    "callbacks",
    "training",
)
_SHORTCUTS = {
    "JointTaskRegularization": "regularization",
    "LabelRestoration": "regularization",
    "MultiTaskModel": "training",
}

__all__ = [
    "JointTaskRegularization",
    "LabelRestoration",
    "MultiTaskModel",
    "aggregation",
    "balancing",
    "callbacks",
    "data",
    "export",
    "interaction",
    "layers",
    "metrics",
    "models",
    "ops",
    "regularization",
    "tasks",
    "training",
    "visualization",
]

require_tensorflow()


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _SHORTCUTS:
        package = importlib.import_module(f"{__name__}.{_SHORTCUTS[name]}")
        return getattr(package, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@wrapt.when_imported("keras")
def _register(_: Any) -> None:
    """Loads every package, which registers its classes with Keras."""
    for package in _PACKAGES:
        importlib.import_module(f"{__name__}.{package}")
