"""The stacks of all tasks that enter the joint autoencoder."""

from collections.abc import Sequence

from keras import ops

from jtr_keras.regularization.common.encoding import (
    encode_targets,
    split_by_task,
)
from jtr_keras.regularization.joint_task.semantics import Semantics
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

NUM_SAMPLES = 5
"""Noise samples of a step: of three stacks, then of two reconstructed ones."""


class JointView:
    """One view of all tasks, encoded into the joint space.

    Args:
        tasks: The tasks.
        semantics: Which oddities of the reference to keep.
        y_true: Dict of this view's targets, `(batch, height, width, channels)`.
        y_pred: Dict of this view's predictions.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        noise: Dict of Gumbel noise for the sampled tasks,
            `(batch, NUM_SAMPLES, height, width, channels)`; optional for each.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        semantics: Semantics,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict,
    ) -> None:
        self.tasks = tasks
        self.semantics = semantics
        self.y_true = y_true
        self.y_pred = y_pred
        self.noise = noise
        self.labelled = {
            task.name: labelled[task.name][:, None, None, None] > 0
            for task in tasks
        }
        self.mask = self._common_mask()

    def prediction_codes(self, sample: int | None) -> TensorDict:
        """Codes of all predictions; gradients reach the unlabelled ones only.

        `sample` says which noise makes them samples; None makes none.
        """
        codes = {}
        for task in self.tasks:
            predictions = self.y_pred[task.name]
            detached = ops.where(
                self.labelled[task.name],
                ops.stop_gradient(predictions),
                predictions,
            )
            noise = self._noise(task, sample)
            code = task.codec.encode_predictions(detached, noise)
            codes[task.name] = self._masked(task, code)
        return codes

    def target_codes(self, fallback: TensorDict) -> TensorDict:
        """Codes of the labels, and `fallback` where there is none."""
        codes = {}
        for task in self.tasks:
            code = encode_targets(task, self.y_true[task.name])
            if not self.semantics.separate_masks:
                code = self._masked(task, code)
            fallback_code = fallback[task.name]
            if not self.semantics.target_gradients:
                fallback_code = ops.stop_gradient(fallback_code)
            codes[task.name] = ops.where(
                self.labelled[task.name], code, fallback_code
            )
        return codes

    def sample_again(self, codes: TensorDict, sample: int) -> TensorDict:
        """Codes with those of sampled tasks replaced by a new sample."""
        if not (self.semantics.new_draws and self.semantics.hard_samples):
            return codes
        samples = {
            task.name: self._masked(
                task,
                task.codec.encode_predictions(
                    self.y_pred[task.name], self._noise(task, sample)
                ),
            )
            for task in self.tasks
            if task.codec.sampled
        }
        return codes | samples

    def stack(self, codes: TensorDict) -> Tensor:
        """All tasks' codes along the channels, in the order of the tasks."""
        return ops.concatenate([codes[t.name] for t in self.tasks], axis=-1)

    def unstack(self, stack: Tensor) -> TensorDict:
        """Undoes `stack`."""
        names = [task.name for task in self.tasks]
        parts = split_by_task(self.tasks, stack)
        return dict(zip(names, parts, strict=True))

    def _common_mask(self) -> Tensor:
        """1 where every label that the image has is annotated."""
        mask: Tensor = 1.0
        for task in self.tasks:
            valid = task.valid_mask(self.y_true[task.name])
            ones = ops.ones_like(valid)
            mask = mask * ops.where(self.labelled[task.name], valid, ones)
        return mask

    def _masked(self, task: Task, code: Tensor) -> Tensor:
        return ops.where(
            self.mask > 0, code, ops.full_like(code, task.codec.empty)
        )

    def _noise(self, task: Task, sample: int | None) -> Tensor | None:
        if sample is None or not self.semantics.hard_samples:
            return None
        noise = self.noise.get(task.name)
        return None if noise is None else noise[:, sample]
