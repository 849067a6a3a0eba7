"""Views of the examples of any dataset."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from jtr_keras.data.augmentation.augmentation import Augmentation
from jtr_keras.tasks.task import Task
from jtr_keras.types import GEOMETRY, IMAGES, Tensor, TensorDict

Example = tuple[Any, TensorDict, TensorDict]


def with_views(
    dataset: tf.data.Dataset,
    tasks: Sequence[Task],
    num_views: int = 2,
    augmentation: Augmentation | None = None,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Samples views of the examples of your own pipeline, before it batches.

    Args:
        dataset: Examples `(x, y, sample_weight)`, one by one: an image
            `(height, width, 3)`, a dict of targets `(height, width, channels)`
            and a dict of scalar weights; shapes are static.
        tasks: The tasks; their names are the keys of both dicts.
        num_views: int. Views of each image.
        augmentation: How views are sampled. Defaults to `Augmentation()`.
        seed: int. Views are those of this seed, others in each epoch.

    Returns:
        The dataset with a leading axis of views in images and targets. `x` is a
        dict: `images`, and `geometry`, `(views, 4)`, how each view was made.

    Raises:
        ValueError: If the dataset's elements are not such examples.

    Example:

    >>> depth = jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)
    >>> x, y = np.ones((2, 8, 8, 3), "float32"), np.ones((2, 8, 8, 1))
    >>> labelled = np.array([1.0, 0.0], "float32")
    >>> dataset = tf.data.Dataset.from_tensor_slices(
    ...     (x, {"depth": y}, {"depth": labelled})
    ... )
    >>> train = jtr_keras.data.with_views(dataset, [depth]).batch(2)
    >>> train.element_spec[0]["images"].shape
    TensorShape([None, 2, 8, 8, 3])
    """
    _require_examples(dataset.element_spec, tasks)
    augmentation = augmentation or Augmentation()
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)

    @tf.autograph.experimental.do_not_convert  # It would take seconds.
    def example(given: Example, pair: Tensor) -> Example:
        image, targets, weights = given
        size = tuple(image.shape[:2])
        views = augmentation.sample_views(size, num_views, pair)
        warped = {
            task.name: views.targets(
                tf.cast(targets[task.name], task.target_dtype), task
            )
            for task in tasks
        }
        image = views.images(tf.cast(image, tf.float32))
        inputs = {IMAGES: image, GEOMETRY: views.geometry}
        return inputs, warped, weights

    pairs = tf.data.Dataset.zip(dataset, seeds.batch(2, drop_remainder=True))
    return pairs.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def _require_examples(spec: Any, tasks: Sequence[Task]) -> None:
    if not isinstance(spec, tuple) or len(spec) != 3:
        raise ValueError(
            f"`dataset` must have elements `(x, y, sample_weight)`; got {spec}."
        )
    image, targets, _ = spec
    if image.shape.rank != 3 or not image.shape.is_fully_defined():
        raise ValueError(
            "`dataset` must have images of static shape (height, width, 3), "
            f"not yet in batches; got {image.shape}."
        )
    for task in tasks:
        expected = (*image.shape[:2], task.target_channels)
        found = targets.get(task.name) if isinstance(targets, dict) else None
        if found is None or tuple(found.shape) != expected:
            raise ValueError(
                f"`y[{task.name!r}]` must have shape {expected}, not yet in "
                f"batches; got {found}."
            )
