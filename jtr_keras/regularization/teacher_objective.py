"""Joint-Task Regularization towards restored labels; ours."""

from collections.abc import Sequence

import keras
from keras import ops

from jtr_keras.ops.precision import loss_dtype
from jtr_keras.regularization.coarse_stacks import CoarseStacks
from jtr_keras.regularization.joint_objective import (
    Batch,
    JointObjective,
    Sizes,
)
from jtr_keras.regularization.joint_restorer import JointRestorer
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

HIDING = "hiding"
"""Key of the random numbers that say which label of an image is hidden."""
ALONE, TOGETHER = "alone", "together"
"""Keys of the errors of each task at hidden labels, `(batch, tasks)`.

They are those without and with evidence, 0 for images with no other label.
"""


class TeacherObjective(JointObjective):
    """A joint target of labels and of what they tell about missing ones.

    A teacher predicts all tasks for the first view; moved into the second, its
    predictions and the labels there are enough for a restorer to say what the
    missing labels are. The second view's predictions learn from that wherever
    there is no annotation. The restorer learns to find one label of each image
    that is hidden from it; how much better it does so with the image's other
    labels than without says how much a task's targets weigh. Stacks are means
    over cells of `stride` pixels a side.
    """

    num_views = 2
    needs = ("teacher", "geometry")
    weights = {"distance": 1.0, "reconstruction": 1.0}
    widths = (16, 16)
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
        stacks = CoarseStacks.of(tasks, batch, network.stride)
        hidden = _hidden(tasks, batch.labelled, batch.noise[HIDING])
        left = [a * (1 - h) for a, h in zip(stacks.known, hidden, strict=True)]
        denoised = stacks.denoise(network)
        fixed = [ops.stop_gradient(code) for code in denoised]
        targets = stacks.restore(network, fixed, stacks.known)
        found = stacks.restore(network, fixed, left)
        return {
            "distance": _distance(stacks, targets, network.trust.factors()),
            **_errors(stacks, hidden, denoised, found),
        }

    def remember(self, network: JointRestorer, losses: TensorDict) -> None:
        alone, together = (
            ops.mean(ops.stop_gradient(losses[key]), axis=0)
            for key in (ALONE, TOGETHER)
        )
        network.trust.update(before=alone, after=together)


def _distance(
    stacks: CoarseStacks, targets: Sequence[Tensor], trust: Tensor
) -> Tensor:
    """How far predictions are from targets where there is no label."""
    distance: Tensor = 0.0
    for index, task in enumerate(stacks.tasks):
        apart = task.soft_error(
            ops.stop_gradient(targets[index]), stacks.predictions[index]
        )
        distance += trust[index] * _mean(apart * (1 - stacks.known[index]))
    return distance


def _errors(
    stacks: CoarseStacks,
    hidden: Sequence[Tensor],
    denoised: Sequence[Tensor],
    found: Sequence[Tensor],
) -> TensorDict:
    """How far from hidden labels both steps of the restorer are."""
    denoising: Tensor = 0.0
    alone: list[Tensor] = []
    together: list[Tensor] = []
    for index, task in enumerate(stacks.tasks):
        where = stacks.known[index] * hidden[index]
        label, code = stacks.labels[index], denoised[index]
        denoising += _mean(where * task.code_error(label, code))
        for errors, restored in (
            (alone, task.with_evidence(code, ops.zeros_like(code))),
            (together, found[index]),
        ):
            error = task.restoration_error(label, restored)
            errors.append(_mean(where * error))
    several = _several(stacks.known)
    return {
        "reconstruction": denoising + sum(together),
        ALONE: several * ops.stack(alone, axis=-1),
        TOGETHER: several * ops.stack(together, axis=-1),
    }


def _several(known: Sequence[Tensor]) -> Tensor:
    """1 for images with more than one label, else 0, `(batch, 1)`."""
    there = ops.stack([ops.max(k, axis=(1, 2, 3)) for k in known], axis=-1)
    several = ops.sum(there, axis=-1, keepdims=True) > 1
    return ops.cast(several, there.dtype)


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


def _mean(error: Tensor) -> Tensor:
    return ops.mean(error, axis=(1, 2, 3))
