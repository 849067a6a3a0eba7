"""Ordered pairs of tasks, and those of an image that matter."""

import itertools
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import keras
from keras import ops

from jtr_keras.regularization.common.encoding import encode_targets
from jtr_keras.tasks.codec import Codec, NormalQuantile
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


def ordered_pairs(num_tasks: int) -> list[tuple[int, int]]:
    """Source and target of every ordered pair, by rows, without `(t, t)`."""
    return list(itertools.permutations(range(num_tasks), 2))


def max_active_pairs(num_tasks: int) -> int:
    """The most pairs of a task without and a task with a label."""
    return (num_tasks // 2) * ((num_tasks + 1) // 2)


def pair_weights(labelled: Sequence[Tensor]) -> Tensor:
    """How much each pair of an image counts.

    A pair of a source without and a target with a label has the weight of the
    target's label; any other pair has 0.

    Args:
        labelled: For each task, the weights of its labels, `(batch,)`.

    Returns:
        Tensor of shape `(batch, pairs)`.
    """
    weights = [
        ops.where(
            labelled[source] > 0, 0.0 * labelled[target], labelled[target]
        )
        for source, target in ordered_pairs(len(labelled))
    ]
    return ops.stack(weights, axis=1)


def select_pairs(
    weights: Tensor, count: int, seed: Any = None
) -> tuple[Tensor, Tensor]:
    """Chooses, for each image, pairs whose weight is not 0: active ones.

    The number is static, for XLA. An image with fewer active pairs gets others,
    of weight 0, as well. Where an image has more of them, some are left out,
    and the weights of the others grow so that their sum stays the same on
    average.

    Args:
        weights: Weight of each pair, `(batch, pairs)`, not negative.
        count: How many to choose.
        seed: Chooses at random; None takes the first ones.

    Returns:
        Indices of pairs and their weights, both `(batch, count)`.
    """
    active = ops.cast(weights > 0, weights.dtype)
    keys = active
    if seed is not None:
        keys = active * keras.random.uniform(
            ops.shape(active), 1.0, 2.0, weights.dtype, seed
        )
    _, index = ops.top_k(keys, count)
    chosen = ops.take_along_axis(weights, index, axis=1)
    num_active = ops.sum(active, axis=1, keepdims=True)
    # More active than chosen pairs: each stands for several.
    return index, chosen * ops.maximum(num_active / count, 1.0)


def task_codes(
    task: Task, targets: Tensor, predictions: Tensor, noise: Tensor | None
) -> list[Tensor]:
    """The code of the targets, then of the predictions for each noise sample.

    Args:
        task: Whose maps they are.
        targets: Tensor of shape `(batch, height, width, channels)`.
        predictions: Tensor of the same leading shape.
        noise: `(batch, samples, height, width, channels)`, or None.

    Returns:
        List of tensors of shape `(batch, height, width, task.channels)`.
    """
    codes = [relative_targets(task.codec, task, targets)]
    if noise is None:
        return [*codes, relative_predictions(task.codec, predictions)]
    return codes + [
        relative_predictions(task.codec, predictions, noise[:, sample])
        for sample in range(noise.shape[1])
    ]


def pair_indices(samples: Sequence[int]) -> list[list[int]]:
    """Where source and target of each pair are among the codes of all tasks.

    Args:
        samples: For each task, how many codes of predictions follow the one of
            the targets: one for all pairs, or one for each other task.

    Returns:
        Two lists, for sources and targets, of an index for each pair.
    """
    first = [sum(samples[:task]) + task for task in range(len(samples))]
    pairs = ordered_pairs(len(samples))
    others = len(samples) - 1  # The pairs of a source follow each other.
    sources = [
        first[source] + 1 + index % others % samples[source]
        for index, (source, _) in enumerate(pairs)
    ]
    return [sources, [first[target] for _, target in pairs]]


def gather_pairs(
    maps: Tensor, indices: Sequence[Sequence[int]], pair: Tensor
) -> Tensor:
    """Source and target maps of the chosen pairs.

    Args:
        maps: Maps of every code, one batch behind the other,
            `(codes * batch, height, width, channels)`.
        indices: See `pair_indices`.
        pair: Chosen pairs of each image, `(batch, count)`.

    Returns:
        Tensor of shape `(2 * batch * count, height, width, channels)`: the
        sources of all images' pairs, then the targets.
    """
    batch = ops.shape(pair)[0]
    rows = ops.take(ops.convert_to_tensor(indices, "int32"), pair, axis=1)
    rows = rows * batch + ops.arange(batch, dtype="int32")[None, :, None]
    return ops.take(maps, ops.reshape(rows, (-1,)), axis=0)


@singledispatch
def relative_targets(codec: Codec, task: Task, targets: Tensor) -> Tensor:
    """Code of targets in which no statistics of the data set enter.

    By default, the code in the joint space.
    """
    return encode_targets(task, targets)


@singledispatch
def relative_predictions(
    codec: Codec, predictions: Tensor, noise: Tensor | None = None
) -> Tensor:
    """Code of predictions that belongs to `relative_targets`."""
    return codec.encode_predictions(predictions, noise)


@relative_targets.register
def _(codec: NormalQuantile, task: Task, targets: Tensor) -> Tensor:
    return _by_maximum(task.zero_void(targets))


@relative_predictions.register
def _(
    codec: NormalQuantile, predictions: Tensor, noise: Tensor | None = None
) -> Tensor:
    return _by_maximum(predictions)


def _by_maximum(values: Tensor) -> Tensor:
    """Divides by the largest value of the image, as MTPSL does."""
    return values / (ops.max(values, axis=(1, 2, 3), keepdims=True) + 1e-12)
