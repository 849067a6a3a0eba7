"""Data that are a function of the epoch."""

from collections.abc import Iterator

import tensorflow as tf


class EpochCounter:
    """Counts the iterations over a dataset.

    Each iteration begins by reading and advancing `epoch`. Who resumes
    training sets it; shuffling and augmentation are then what they would have
    been.

    Attributes:
        epoch: int. Epoch of the next iteration.
    """

    def __init__(self) -> None:
        self.epoch = 0

    def dataset(self) -> tf.data.Dataset:
        """A dataset of one int64 scalar, the epoch."""
        signature = tf.TensorSpec((), tf.int64)
        return tf.data.Dataset.from_generator(
            self._next, output_signature=signature
        )

    def _next(self) -> Iterator[int]:
        epoch = self.epoch
        self.epoch += 1
        yield epoch
