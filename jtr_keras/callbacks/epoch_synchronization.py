"""Data that know which epoch it is."""

from typing import Any

import keras

from jtr_keras.data.pipeline import EpochCounter


class EpochSynchronization(keras.callbacks.Callback):
    """Tells a dataset of this library the epoch before each one begins.

    Shuffling and augmentation are functions of the seed and the epoch; a run
    resumed at epoch 7 thus sees what an uninterrupted one would have seen.
    `MultiTaskModel.fit` adds this callback itself.

    Args:
        dataset: What is given to `fit`; anything but a dataset of this library
            is left alone.
    """

    def __init__(self, dataset: Any) -> None:
        super().__init__()
        epochs = getattr(dataset, "epochs", None)
        self.epochs = epochs if isinstance(epochs, EpochCounter) else None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.epochs is not None:
            self.epochs.epoch = epoch
