"""Joint-Task Regularization towards restored labels; ours."""

from collections.abc import Sequence

import keras
from keras import ops

from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.views import view
from jtr_keras.regularization.joint_objective import (
    Batch,
    JointObjective,
    Sizes,
)
from jtr_keras.regularization.joint_restorer import JointRestorer
from jtr_keras.regularization.moving import moved
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

HIDING = "hiding"
"""Key of the random numbers that say which label of an image is hidden."""


class TeacherObjective(JointObjective):
    """A joint target of labels and of what they tell about missing ones.

    A teacher predicts all tasks for the first view; moved into the second, its
    predictions and the labels there are enough for a restorer to say what the
    missing labels are. The second view's predictions learn from that wherever
    there is no annotation. The restorer learns to find one label of each image
    that is hidden from it. Stacks are means over cells of `stride` pixels a
    side.
    """

    num_views = 2
    needs = ("teacher", "geometry")
    weights = {"distance": 1.0, "reconstruction": 1.0}
    widths = (32, 32)
    stride = 4
    warm_up = 1000

    def network(self, tasks: Sequence[Task], sizes: Sizes) -> JointRestorer:
        if sizes.num_convs is not None:
            raise ValueError(
                "`num_convs` is for the published semantics; got "
                f"{tuple(sizes.num_convs)} with 'teacher'."
            )
        channels = sum(task.channels for task in tasks)
        size = (None, None, None)
        network = JointRestorer(
            sizes.widths or self.widths, sizes.stride, dtype=sizes.dtype
        )
        network.build((*size, channels), (*size, channels + len(tasks)))
        return network

    def draw(
        self,
        tasks: Sequence[Task],
        y_pred: TensorDict,
        seed: keras.random.SeedGenerator,
    ) -> TensorDict:
        """Of an image's labels, that with the largest number is hidden."""
        batch = ops.shape(y_pred[tasks[0].name])[0]
        shape = (batch, len(tasks))
        uniform = keras.random.uniform(shape, dtype=loss_dtype(), seed=seed)
        return {HIDING: uniform}

    def per_image(
        self, network: JointRestorer, tasks: Sequence[Task], batch: Batch
    ) -> dict[str, Tensor]:
        stride = network.stride
        geometry = batch.extras["geometry"][:, 1]
        targets = [view(batch.y_true[task.name], 1) for task in tasks]
        labels = [
            _coarsen(task.encode_targets(target), stride)
            for task, target in zip(tasks, targets, strict=True)
        ]
        known = [
            _annotated(task, target, batch.labelled[task.name], stride)
            for task, target in zip(tasks, targets, strict=True)
        ]
        teacher = [
            _teacher_code(
                task, batch.extras["teacher"][task.name], geometry, stride
            )
            for task in tasks
        ]
        stack = ops.concatenate(teacher, axis=-1)
        hidden = _hidden(tasks, batch.labelled, batch.noise[HIDING])
        left = [a * (1 - h) for a, h in zip(known, hidden, strict=True)]
        restored = ops.stop_gradient(network(stack, _given(labels, known)))
        found = network(stack, _given(labels, left))
        distance: Tensor = 0.0
        error: Tensor = 0.0
        for index, task in enumerate(tasks):
            prediction = task.renormalize(
                _coarsen(view(batch.y_pred[task.name], 1), stride)
            )
            apart = task.soft_error(
                _channels(restored, tasks, index), prediction
            )
            distance += _mean(apart * (1 - known[index]))
            missed = task.code_error(
                labels[index], _channels(found, tasks, index)
            )
            error += _mean(missed * known[index] * hidden[index])
        return {"distance": distance, "reconstruction": error}


def _annotated(
    task: Task, target: Tensor, labelled: Tensor, stride: int
) -> Tensor:
    """1 for cells all of whose pixels are annotated, else 0."""
    valid = _coarsen(task.valid_mask(target), stride)
    whole = ops.logical_and(
        valid > 1.0 - 1e-3, labelled[:, None, None, None] > 0
    )
    return ops.cast(whole, valid.dtype)


def _teacher_code(
    task: Task, predictions: Tensor, geometry: Tensor, stride: int
) -> Tensor:
    coarse = _coarsen(view(predictions, 0), stride)
    seen = moved(task, coarse, geometry, stride)
    return ops.stop_gradient(task.encode_predictions(seen))


def _hidden(
    tasks: Sequence[Task], labelled: TensorDict, uniform: Tensor
) -> list[Tensor]:
    """For each task 1 for images whose label is hidden, `(batch, 1, 1, 1)`."""
    there = ops.stack([labelled[task.name] > 0 for task in tasks], axis=-1)
    numbers = ops.where(there, uniform, -ops.ones_like(uniform))
    first = ops.one_hot(
        ops.argmax(numbers, axis=-1), len(tasks), dtype=uniform.dtype
    )
    first = first * ops.cast(there, uniform.dtype)
    return ops.split(first[:, None, None, :], len(tasks), axis=-1)


def _given(labels: Sequence[Tensor], known: Sequence[Tensor]) -> Tensor:
    """Labels, 0 where they are not known, and where they are."""
    shown = [a * b for a, b in zip(labels, known, strict=True)]
    return ops.concatenate([*shown, *known], axis=-1)


def _channels(stack: Tensor, tasks: Sequence[Task], index: int) -> Tensor:
    start = sum(task.channels for task in tasks[:index])
    return stack[..., start : start + tasks[index].channels]


def _coarsen(stack: Tensor, stride: int) -> Tensor:
    return ops.average_pool(stack, stride) if stride > 1 else stack


def _mean(error: Tensor) -> Tensor:
    return ops.mean(error, axis=(1, 2, 3))
