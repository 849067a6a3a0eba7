"""What a user adds to `fit`."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.callbacks.epoch_synchronization import EpochSynchronization
from jtr_keras.callbacks.prediction_pictures import PredictionPictures
from jtr_keras.callbacks.step_timer import StepTimer

__all__ = ["EpochSynchronization", "PredictionPictures", "StepTimer"]
