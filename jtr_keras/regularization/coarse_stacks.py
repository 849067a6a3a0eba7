"""What is known of an image's second view, in cells coarser than pixels."""

import dataclasses
from collections.abc import Sequence

from keras import ops

from jtr_keras.ops.views import view
from jtr_keras.regularization.joint_objective import Batch
from jtr_keras.regularization.joint_restorer import JointRestorer
from jtr_keras.regularization.moving import moved
from jtr_keras.regularization.stacking import split_by_task
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


@dataclasses.dataclass(frozen=True)
class CoarseStacks:
    """Maps of each task, `(batch, height / stride, width / stride, channels)`.

    Args:
        tasks: The tasks, in the order of all lists.
        labels: Codes of the labels, means over cells.
        known: 1 for cells all of whose pixels are annotated, else 0.
        first_view: Codes of what the network predicts for the first view,
            moved into the second; constants.
        joined: Those as one stack.
        predictions: What the network predicts for the second view.
    """

    tasks: Sequence[Task]
    labels: Sequence[Tensor]
    known: Sequence[Tensor]
    first_view: Sequence[Tensor]
    joined: Tensor
    predictions: Sequence[Tensor]

    @classmethod
    def of(
        cls, tasks: Sequence[Task], batch: Batch, stride: int
    ) -> "CoarseStacks":
        """The stacks of a step's batch; ValueError if images lack a cell."""
        size = ops.shape(batch.y_pred[tasks[0].name])[2:4]
        if min(size) < stride:
            raise ValueError(
                f"`stride` must be at most the size of the images, {size}; "
                f"got {stride}."
            )
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
        first_view = [
            _moved_code(task, batch.y_pred[task.name], geometry, stride)
            for task in tasks
        ]
        predictions = [
            task.renormalize(_coarsen(view(batch.y_pred[task.name], 1), stride))
            for task in tasks
        ]
        return cls(
            tasks=tasks,
            labels=labels,
            known=known,
            first_view=first_view,
            joined=ops.concatenate(first_view, axis=-1),
            predictions=predictions,
        )

    def given(self, share: Sequence[Tensor]) -> Tensor:
        """Labels, 0 where none is given, and where one is, as one stack.

        `share` has a map a task: 1 for labels that are given, 0 for others.
        """
        shown = [a * b for a, b in zip(self.labels, share, strict=True)]
        return ops.concatenate([*shown, *share], axis=-1)

    @property
    def helped(self) -> Tensor:
        """1 for images of which a label is known, else 0, `(batch, 1)`."""
        everything = ops.concatenate(self.known, axis=-1)
        return ops.max(everything, axis=(1, 2, 3))[:, None]

    def denoise(self, network: JointRestorer) -> list[Tensor]:
        """What the network makes of predictions alone, by task."""
        return split_by_task(self.tasks, network.denoiser(self.joined))

    def restore(
        self,
        network: JointRestorer,
        denoised: Sequence[Tensor],
        *shares: Sequence[Tensor],
    ) -> list[list[Tensor]]:
        """That, with what labels add to it, for each of `shares`.

        Each is as in `given`; all go through the network as one batch.
        """
        count = len(shares)
        given = ops.concatenate([self.given(share) for share in shares], axis=0)
        joined = ops.concatenate([self.joined] * count, axis=0)
        evidence = split_by_task(self.tasks, network.evidence(joined, given))
        repeated = [
            ops.concatenate([code] * count, axis=0) for code in denoised
        ]
        restored = self._with_evidence(repeated, evidence)
        by_task = [ops.split(code, count, axis=0) for code in restored]
        return [list(codes) for codes in zip(*by_task, strict=True)]

    def settle(self, denoised: Sequence[Tensor]) -> list[Tensor]:
        """That with no evidence: sums of probabilities become such again."""
        nothing = [ops.zeros_like(code) for code in denoised]
        return self._with_evidence(denoised, nothing)

    def _with_evidence(
        self, denoised: Sequence[Tensor], evidence: Sequence[Tensor]
    ) -> list[Tensor]:
        return [
            task.with_evidence(code, added)
            for task, code, added in zip(
                self.tasks, denoised, evidence, strict=True
            )
        ]


def _annotated(
    task: Task, target: Tensor, labelled: Tensor, stride: int
) -> Tensor:
    valid = _coarsen(task.valid_mask(target), stride)
    whole = ops.logical_and(
        valid > 1.0 - 1e-3, labelled[:, None, None, None] > 0
    )
    return ops.cast(whole, valid.dtype)


def _moved_code(
    task: Task, predictions: Tensor, geometry: Tensor, stride: int
) -> Tensor:
    coarse = _coarsen(view(predictions, 0), stride)
    image_size = ops.shape(predictions)[2:4]
    seen = moved(task, coarse, geometry, stride, image_size)
    return ops.stop_gradient(task.encode_predictions(seen))


def _coarsen(stack: Tensor, stride: int) -> Tensor:
    return ops.average_pool(stack, stride) if stride > 1 else stack
