"""Pictures of what a model predicts while it trains."""

import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from jtr_keras.visualization.picture import picture


class PredictionPictures(keras.callbacks.Callback):
    """Shows predictions for the same images at the end of epochs.

    Writes `epoch_0001.png` and so on, and the same picture for TensorBoard
    under the tag `predictions`.

    Args:
        dataset: A dataset of `(x, y, sample_weight)` without view axis; its
            first batch is shown.
        folder: Folder for the PNG files.
        log_dir: Folder of TensorBoard events, or None for none.
        every: int. After how many epochs; also after the last one.
        num_images: int. At most so many images are shown.
    """

    def __init__(
        self,
        dataset: tf.data.Dataset,
        folder: str | pathlib.Path,
        log_dir: str | pathlib.Path | None = None,
        every: int = 1,
        num_images: int = 4,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be >= 1; got {every}.")
        self.folder = pathlib.Path(folder)
        self.log_dir = log_dir
        self.every = every
        batch = next(iter(dataset))
        self.batch = tf.nest.map_structure(lambda x: x[:num_images], batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        last = epoch + 1 == self.params.get("epochs")
        if not last and (epoch + 1) % self.every:
            return
        images, targets, labelled = self.batch
        predictions = self.model(images, training=False)
        table = picture(
            self.model.tasks, images, targets, labelled, predictions
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        table.save(self.folder / f"epoch_{epoch + 1:04d}.png")
        if self.log_dir is not None:
            writer = tf.summary.create_file_writer(str(self.log_dir))
            with writer.as_default():
                tf.summary.image("predictions", np.asarray(table)[None], epoch)
            writer.close()
