"""The model's training step and how it is compiled."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.training.checking import check_batches
from jtr_keras.training.compilation import choose_compilation
from jtr_keras.training.multi_task_model import MultiTaskModel
from jtr_keras.training.schedules import learning_rate
from jtr_keras.training.teacher import Teacher

__all__ = [
    "MultiTaskModel",
    "Teacher",
    "check_batches",
    "choose_compilation",
    "learning_rate",
]
