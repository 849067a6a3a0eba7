"""What is known of an image's second view, in patches coarser than pixels."""

import dataclasses
from collections.abc import Sequence
from functools import singledispatch

from keras import ops

from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.ops.views import view
from jtr_keras.regularization.common.encoding import (
    encode_targets,
    split_by_task,
)
from jtr_keras.regularization.common.warping import warp_to_view
from jtr_keras.regularization.label_restoration.restorer import (
    Denoiser,
    LabelEvidence,
)
from jtr_keras.tasks.codec import Categorical, Codec, UnitVector
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

FLOOR = 1e-3
"""Smaller probabilities are raised to it before evidence adds to them."""


@dataclasses.dataclass(frozen=True)
class CoarseStacks:
    """Maps of each task, `(batch, height / stride, width / stride, channels)`.

    Args:
        tasks: The tasks, in the order of all lists.
        labels: Codes of the labels, means over patches.
        annotated: 1 for patches all of whose pixels are annotated, else 0.
        first_view: Codes of what the network predicts for the first view,
            warped to the second, as one stack; constants.
        predictions: What the network predicts for the second view.
    """

    tasks: Sequence[Task]
    labels: Sequence[Tensor]
    annotated: Sequence[Tensor]
    first_view: Tensor
    predictions: Sequence[Tensor]

    @classmethod
    def of(
        cls,
        tasks: Sequence[Task],
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        geometry: Tensor,
        stride: int,
    ) -> "CoarseStacks":
        """The stacks of a batch; ValueError if images are smaller than a patch.

        `geometry` is that of the second view, `(batch, 4)`; for the others see
        `LabelRestoration`.
        """
        size = ops.shape(y_pred[tasks[0].name])[2:4]
        if min(size) < stride:
            raise ValueError(
                f"`stride` must be at most the size of the images, {size}; "
                f"got {stride}."
            )
        targets = [view(y_true[task.name], 1) for task in tasks]
        pairs = list(zip(tasks, targets, strict=True))
        first_view = [
            _warped_code(task, y_pred[task.name], geometry, stride)
            for task in tasks
        ]
        return cls(
            tasks=tasks,
            labels=[
                _coarsen(encode_targets(task, target), stride)
                for task, target in pairs
            ],
            annotated=[
                _annotated(task, target, labelled[task.name], stride)
                for task, target in pairs
            ],
            first_view=ops.concatenate(first_view, axis=-1),
            predictions=[
                task.codec.project(_coarsen(view(y_pred[task.name], 1), stride))
                for task in tasks
            ],
        )

    def label_stack(self, masks: Sequence[Tensor]) -> Tensor:
        """Labels where a task's mask is 1 and 0 elsewhere, then the masks."""
        shown = [a * b for a, b in zip(self.labels, masks, strict=True)]
        return ops.concatenate([*shown, *masks], axis=-1)

    @property
    def has_label(self) -> Tensor:
        """1 for images that have any label, else 0, `(batch, 1)`."""
        everything = ops.concatenate(self.annotated, axis=-1)
        return ops.max(everything, axis=(1, 2, 3))[:, None]

    def denoise(self, denoiser: Denoiser) -> list[Tensor]:
        """Codes of predictions, corrected without any label, by task."""
        return split_by_task(self.tasks, denoiser(self.first_view))

    def restore(
        self,
        evidence: LabelEvidence,
        denoised: Sequence[Tensor],
        *masks: Sequence[Tensor],
    ) -> list[list[Tensor]]:
        """Denoised codes with the evidence of labels, for each of `masks`.

        Each mask says which labels are shown, as in `label_stack`; all pass the
        network as one batch.
        """
        count = len(masks)
        labels = ops.concatenate([self.label_stack(m) for m in masks], axis=0)
        predictions = ops.concatenate([self.first_view] * count, axis=0)
        added = split_by_task(self.tasks, evidence(predictions, labels))
        repeated = [
            ops.concatenate([code] * count, axis=0) for code in denoised
        ]
        restored = self._with_evidence(repeated, added)
        by_task = [ops.split(code, count, axis=0) for code in restored]
        return [list(codes) for codes in zip(*by_task, strict=True)]

    def normalize_codes(self, denoised: Sequence[Tensor]) -> list[Tensor]:
        """Denoised codes without evidence; probabilities sum to 1 again."""
        nothing = [ops.zeros_like(code) for code in denoised]
        return self._with_evidence(denoised, nothing)

    def distances(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """Distance of each task's labels and codes in every patch."""
        maps = zip(self.tasks, self.labels, codes, strict=True)
        return [task.codec.distance(a, b) for task, a, b in maps]

    def _with_evidence(
        self, denoised: Sequence[Tensor], evidence: Sequence[Tensor]
    ) -> list[Tensor]:
        maps = zip(self.tasks, denoised, evidence, strict=True)
        return [with_evidence(task.codec, a, b) for task, a, b in maps]


@singledispatch
def with_evidence(codec: Codec, code: Tensor, evidence: Tensor) -> Tensor:
    """A code and the evidence for or against it, of the same shape.

    Evidence is any finite number; 0 leaves a code of predictions as it is. By
    default the result is their sum.
    """
    return code + evidence


@with_evidence.register
def _(codec: Categorical, code: Tensor, evidence: Tensor) -> Tensor:
    # Evidence adds to logarithms of probabilities, as in Bayes' rule. What the
    # denoiser made smaller than `FLOOR` is raised to it.
    return ops.softmax(ops.log(ops.maximum(code, FLOOR)) + evidence)


@with_evidence.register
def _(codec: UnitVector, code: Tensor, evidence: Tensor) -> Tensor:
    # Turns the vector; one that is shorter, as it is a mean, stays so.
    vector = 2.0 * code - 1.0
    direction = unit_vectors(vector)
    length = ops.sum(vector * direction, axis=-1, keepdims=True)
    return codec.encode(length * unit_vectors(vector + 2.0 * evidence))


@singledispatch
def restoration_error(codec: Codec, code: Tensor, restored: Tensor) -> Tensor:
    """Error of a code with evidence, `(batch, height, width, 1)`."""
    return codec.distance(code, restored)


@restoration_error.register
def _(codec: Categorical, code: Tensor, restored: Tensor) -> Tensor:
    return codec.cross_entropy(code, ops.log(ops.maximum(restored, 1e-30)))


def _annotated(
    task: Task, target: Tensor, labelled: Tensor, stride: int
) -> Tensor:
    valid = _coarsen(task.valid_mask(target), stride)
    whole = ops.logical_and(
        valid > 1.0 - 1e-3, labelled[:, None, None, None] > 0
    )
    return ops.cast(whole, valid.dtype)


def _warped_code(
    task: Task, predictions: Tensor, geometry: Tensor, stride: int
) -> Tensor:
    coarse = _coarsen(view(predictions, 0), stride)
    image_size = ops.shape(predictions)[2:4]
    seen = warp_to_view(task, coarse, geometry, stride, image_size)
    return ops.stop_gradient(task.codec.encode_predictions(seen))


def _coarsen(stack: Tensor, stride: int) -> Tensor:
    return ops.average_pool(stack, stride) if stride > 1 else stack
