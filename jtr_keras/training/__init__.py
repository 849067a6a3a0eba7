"""The training step, the compilation policy and callbacks."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.training.checking import check_batches
from jtr_keras.training.compilation import choose_compilation
from jtr_keras.training.epoch_synchronization import EpochSynchronization
from jtr_keras.training.multi_task_model import MultiTaskModel
from jtr_keras.training.prediction_pictures import PredictionPictures
from jtr_keras.training.schedules import learning_rate
from jtr_keras.training.step_timer import StepTimer
from jtr_keras.training.teacher import Teacher

__all__ = [
    "EpochSynchronization",
    "MultiTaskModel",
    "PredictionPictures",
    "StepTimer",
    "Teacher",
    "check_batches",
    "choose_compilation",
    "learning_rate",
]
