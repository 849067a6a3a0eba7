"""Joint-Task Regularization towards a teacher; ours."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.freezing import call_frozen
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.similarity import cosine_distance
from jtr_keras.ops.views import view
from jtr_keras.regularization.joint_autoencoder import JointAutoencoder
from jtr_keras.regularization.joint_objective import JointObjective
from jtr_keras.regularization.moving import moved
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

KEPT = "kept"
"""Key of the random numbers that say which tasks are not dropped."""
DROPPED = 0.5
"""Share of the tasks that the autoencoder must restore from the others."""


class TeacherObjective(JointObjective):
    """A joint target of labels and a teacher, in stacks and latent codes.

    The stack of targets holds the labels of the second view and, where there
    is no annotation, what the teacher predicts for the first view, moved into
    the second. The stack of predictions differs from it there only. Their
    squared difference and, in the frozen latent space, their cosine distance
    train the network. Stacks are means over cells of `stride` pixels a side.
    The autoencoder trains on targets in which whole tasks are dropped, which
    it must restore from the others.
    """

    num_views = 2
    needs = ("teacher", "geometry")
    weights = {"distance": 0.5, "latent_distance": 0.1, "reconstruction": 1.0}
    stride = 4
    warm_up = 1000
    sizes = (8, 16), (1, 1)

    def build(
        self, autoencoder: JointAutoencoder, tasks: Sequence[Task]
    ) -> None:
        channels = sum(task.channels for task in tasks)
        autoencoder.build((None, None, None, channels + len(tasks)))

    def draw(
        self,
        tasks: Sequence[Task],
        y_pred: TensorDict,
        seed: keras.random.SeedGenerator,
    ) -> TensorDict:
        """1 for each image and task that the autoencoder sees, else 0."""
        batch = ops.shape(y_pred[tasks[0].name])[0]
        uniform = keras.random.uniform((batch, len(tasks)), seed=seed)
        return {KEPT: ops.cast(uniform >= DROPPED, loss_dtype())}

    def per_image(
        self,
        autoencoder: JointAutoencoder,
        tasks: Sequence[Task],
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict,
        **extras: Any,
    ) -> dict[str, Tensor]:
        stride = autoencoder.stride
        geometry = extras["geometry"][:, 1]
        codes = []
        for task in tasks:
            name = task.name
            teacher = _coarsen(view(extras["teacher"][name], 0), stride)
            codes.append(
                _codes(
                    task,
                    view(y_true[name], 1),
                    task.renormalize(_coarsen(view(y_pred[name], 1), stride)),
                    moved(task, teacher, geometry, stride),
                    labelled[name],
                    stride,
                )
            )
        target, prediction = (
            ops.concatenate(parts, axis=-1)
            for parts in zip(*codes, strict=True)
        )
        squares = ops.sum(ops.square(target - prediction), axis=-1)
        return {
            "distance": ops.mean(squares, axis=(1, 2)),
            "latent_distance": _latent_distance(
                autoencoder, tasks, target, prediction
            ),
            "reconstruction": _restoration(
                autoencoder, tasks, target, noise[KEPT]
            ),
        }


def _codes(
    task: Task,
    y_true: Tensor,
    y_pred: Tensor,
    teacher: Tensor,
    labelled: Tensor,
    stride: int,
) -> tuple[Tensor, Tensor]:
    """Codes of a task's target and prediction; equal where annotated.

    A cell is annotated where all of its pixels are.
    """
    valid = _coarsen(task.valid_mask(y_true), stride)
    annotated = ops.logical_and(
        valid > 1.0 - 1e-3, labelled[:, None, None, None] > 0
    )
    target = ops.where(
        annotated,
        _coarsen(task.encode_targets(y_true), stride),
        ops.stop_gradient(task.encode_predictions(teacher)),
    )
    prediction = ops.where(annotated, target, task.encode_predictions(y_pred))
    return target, prediction


def _coarsen(stack: Tensor, stride: int) -> Tensor:
    return ops.average_pool(stack, stride) if stride > 1 else stack


def _latent_distance(
    autoencoder: JointAutoencoder,
    tasks: Sequence[Task],
    target: Tensor,
    prediction: Tensor,
) -> Tensor:
    """Distance in the frozen latent space, `(batch,)`."""
    stacks = ops.concatenate([target, prediction], axis=0)
    everything = ops.ones((ops.shape(stacks)[0], len(tasks)), stacks.dtype)
    inputs = autoencoder.pad(_mask(tasks, stacks, everything))
    latent, _ = call_frozen(autoencoder.encoder, inputs)
    return cosine_distance(*ops.split(latent, 2, axis=0))


def _restoration(
    autoencoder: JointAutoencoder,
    tasks: Sequence[Task],
    target: Tensor,
    kept: Tensor,
) -> Tensor:
    """Error of the whole target, restored from the tasks kept, `(batch,)`."""
    target = ops.stop_gradient(target)
    _, decoded = autoencoder(_mask(tasks, target, kept))
    error: Tensor = 0.0
    start = 0
    for task in tasks:
        channels = slice(start, start + task.channels)
        error += task.reconstruction_error(
            target[..., channels], decoded[..., channels]
        )
        start += task.channels
    return ops.mean(error, axis=(1, 2, 3))


def _mask(tasks: Sequence[Task], stack: Tensor, kept: Tensor) -> Tensor:
    """The stack without the tasks dropped, and which ones they are."""
    kept = kept[:, None, None, :]
    factors = [
        ops.repeat(kept[..., index : index + 1], task.channels, axis=-1)
        for index, task in enumerate(tasks)
    ]
    shape = (*ops.shape(stack)[:-1], len(tasks))
    return ops.concatenate(
        [
            stack * ops.concatenate(factors, axis=-1),
            ops.broadcast_to(kept, shape),
        ],
        axis=-1,
    )
