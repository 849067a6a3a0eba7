"""Data that are a function of the epoch."""

import itertools
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
        """An endless dataset of int64 scalars: the epoch and those after it."""
        signature = tf.TensorSpec((), tf.int64)
        return tf.data.Dataset.from_generator(
            self._epochs, output_signature=signature
        )

    def _epochs(self) -> Iterator[int]:
        first = self.epoch
        self.epoch += 1
        yield from itertools.count(first)
