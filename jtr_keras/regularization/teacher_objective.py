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
        stacks = CoarseStacks.of(tasks, batch, network.stride)
        hidden = _hidden(tasks, batch.labelled, batch.noise[HIDING])
        left = [a * (1 - h) for a, h in zip(stacks.known, hidden, strict=True)]
        targets = stacks.restore(network, stacks.known)
        found = stacks.restore(network, left)
        distance: Tensor = 0.0
        error: Tensor = 0.0
        for index, task in enumerate(tasks):
            known = stacks.known[index]
            apart = task.soft_error(
                ops.stop_gradient(targets[index]), stacks.predictions[index]
            )
            distance += _mean(apart * (1 - known))
            missed = task.code_error(stacks.labels[index], found[index])
            error += _mean(missed * known * hidden[index])
        return {"distance": distance, "reconstruction": error}


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
