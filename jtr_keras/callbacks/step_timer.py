"""How long a training step takes."""

import time
from typing import Any

import keras
import numpy as np


class StepTimer(keras.callbacks.Callback):
    """Adds `seconds_per_step` to the logs: the median of the epoch's steps.

    The median leaves out the compilation in the first step. Steps that are
    executed at once, `steps_per_execution`, take equal shares of the time. To
    be listed before the callbacks that write logs.

    Example:

    >>> model = keras.Sequential([keras.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> timer = jtr_keras.callbacks.StepTimer()
    >>> logs = model.fit(np.ones((8, 1)), np.ones(8), verbose=0,
    ...                  callbacks=[timer]).history
    >>> logs["seconds_per_step"][0] > 0
    True
    """

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.first = batch
        self.begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.begin
        # `batch` is here the last step of those executed, not the first.
        self.seconds.append(seconds / (batch - self.first + 1))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None and self.seconds:
            logs["seconds_per_step"] = float(np.median(self.seconds))
