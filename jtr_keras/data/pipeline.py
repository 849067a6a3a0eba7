"""From a source to batches of the partial-label protocol."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.data.augmentation.augmentation import UNCHANGED, Augmentation
from jtr_keras.data.augmentation.views import Views
from jtr_keras.data.labels.label_settings import AVAILABLE, label_matrix
from jtr_keras.data.sources.source import Source
from jtr_keras.tasks.task import Task
from jtr_keras.types import GEOMETRY, IMAGES, Tensor, TensorDict

Example = tuple[Any, TensorDict, TensorDict]


class EpochCounter:
    """Counts the iterations over a dataset.

    Each iteration begins by reading and advancing `epoch`. To resume a
    training, set it: shuffling and augmentation are then those of that epoch.

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


def pipeline(
    source: Source,
    tasks: Sequence[Task],
    labels: Any = AVAILABLE,
    num_views: int | None = None,
    batch_size: int = 8,
    seed: int = 0,
    augmentation: Augmentation | None = None,
    training: bool = False,
    labelled_only: bool = False,
) -> tf.data.Dataset:
    """Batches `(x, y, sample_weight)`, a function of seed and epoch.

    The annotation of an unlabelled image is neither read nor warped.

    Args:
        source: Where images and annotations come from.
        tasks: The tasks; their names say which annotations.
        labels: Which image has which label; see `label_matrix`. By default
            each has those that there are.
        num_views: Views of each image, or None for no view axis.
        batch_size: int. Images of a batch.
        seed: int. Seed of labels, order and augmentation.
        augmentation: How views are sampled. By default as by
            `Augmentation()` for training, and as by `UNCHANGED` otherwise.
        training: bool. Whether to shuffle and to drop an incomplete batch.
        labelled_only: bool. Whether to leave out images that have no label of
            any of the tasks, as for a single task.

    Returns:
        A dataset of images `(batch, [views,] height, width, 3)`, dict of
        targets `(batch, [views,] height, width, channels)` and dict of weights
        `(batch,)`. With views, `x` is a dict: `images`, and `geometry`,
        `(batch, views, 4)`, how each view was made. The attribute `epochs`
        is the dataset's `EpochCounter`; `endless`, for training, is a dataset
        of this epoch's batches and those of all after it, which `fit` reads.

    Raises:
        ValueError: If the source has no annotation of a task, there are fewer
            images than `batch_size` to train on, or an argument is not as
            expected.
    """
    _require_positive(batch_size=batch_size, num_views=num_views)
    source.require(tasks)
    matrix = label_matrix(labels, source, tasks, seed)
    indices = np.arange(source.num_images)
    if labelled_only:
        indices = np.flatnonzero(matrix.any(axis=1))
    batches = _num_batches(len(indices), batch_size, training)
    reader = _Reader(
        source,
        tasks,
        tf.constant(matrix),
        num_views,
        augmentation or (Augmentation() if training else UNCHANGED),
        seed,
    )
    epochs = EpochCounter()
    stream = (
        epochs.dataset()
        .take(-1 if training else 1)
        .flat_map(
            lambda epoch: _order(indices, epoch, seed, training).take(
                batches * batch_size
            )
        )
        .map(reader.example, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size, drop_remainder=training)
    )
    dataset = _buffered(stream.take(batches), batches)
    dataset.epochs = epochs
    if training:
        dataset.endless = _buffered(stream, tf.data.INFINITE_CARDINALITY)
    return dataset


def _require_positive(**arguments: int | None) -> None:
    for name, value in arguments.items():
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be >= 1; got {value}.")


def _num_batches(images: int, batch_size: int, training: bool) -> int:
    if not training:
        return -(-images // batch_size)
    if images < batch_size:
        raise ValueError(
            f"`batch_size` is {batch_size}, but there are {images} images."
        )
    return images // batch_size


def _buffered(dataset: tf.data.Dataset, batches: int) -> tf.data.Dataset:
    sized = tf.data.experimental.assert_cardinality(batches)
    return dataset.apply(sized).prefetch(2).with_options(_options())


def _order(
    indices: Any, epoch: Tensor, seed: int, shuffle: bool
) -> tf.data.Dataset:
    """The images of an epoch, each as `(epoch, index)`."""
    index = tf.constant(indices, tf.int64)
    if shuffle:
        pair = tf.stack([tf.constant(seed, tf.int64), epoch])
        index = tf.random.experimental.stateless_shuffle(index, pair)
    return tf.data.Dataset.from_tensor_slices(index).map(lambda i: (epoch, i))


def _options() -> tf.data.Options:
    options = tf.data.Options()
    # The thread that tunes sleeps longer and longer, and every epoch deletes
    # an iterator, which waits until that thread wakes.
    options.autotune.enabled = False
    return options


class _Reader:
    """From an epoch and an index to one example."""

    def __init__(
        self,
        source: Source,
        tasks: Sequence[Task],
        matrix: Tensor,
        num_views: int | None,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self.source = source
        self.tasks = tasks
        self.matrix = matrix
        self.num_views = num_views
        self.augmentation = augmentation
        self.seed = seed

    @tf.autograph.experimental.do_not_convert  # It would take seconds.
    def example(self, epoch: Tensor, index: Tensor) -> Example:
        row = self.matrix[index]
        weights = {t.name: row[i] for i, t in enumerate(self.tasks)}
        pair = tf.stack([tf.constant(self.seed, tf.int64), epoch])
        views = self.augmentation.sample_views(
            self.source.size,
            self.num_views or 1,
            tf.random.fold_in(pair, index),
        )
        images = views.images(self.source.image(index))
        targets = {
            task.name: self._targets(task, index, weights[task.name], views)
            for task in self.tasks
        }
        if self.num_views is None:
            images = images[0]
            targets = {name: value[0] for name, value in targets.items()}
            return images, targets, weights
        inputs = {IMAGES: images, GEOMETRY: views.geometry}
        return inputs, targets, weights

    def _targets(
        self, task: Task, index: Tensor, weight: Tensor, views: Views
    ) -> Tensor:
        shape = (len(views.warps), *self.source.size, task.target_channels)
        return tf.cond(
            weight > 0,
            lambda: views.targets(self.source.target(index, task), task),
            lambda: tf.fill(shape, tf.constant(task.void, task.target_dtype)),
        )
