"""The training step, the compilation policy and callbacks."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.training.compilation import choose_compilation
from jtr_keras.training.epoch_synchronization import EpochSynchronization
from jtr_keras.training.multi_task_model import MultiTaskModel

__all__ = ["EpochSynchronization", "MultiTaskModel", "choose_compilation"]
