"""Regularization towards restored labels; ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.regularization.label_restoration.reliability_weights import (
    ReliabilityWeights,
)
from jtr_keras.regularization.label_restoration.restorer import (
    Denoiser,
    LabelEvidence,
)
from jtr_keras.regularization.label_restoration.stacks import (
    CoarseStacks,
    restoration_error,
)
from jtr_keras.regularization.task_regularization import (
    TaskRegularization,
    complete_weights,
    linear_ramp_up,
)
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class LabelRestoration(TaskRegularization):
    """Pulls predictions towards what a restorer says the missing labels are.

    The network predicts all tasks for the first view. These predictions, warped
    to the second view, and the labels there are enough for a restorer to say
    what the missing labels are. The second view's predictions learn from that
    wherever there is no annotation. The restorer learns to find one label of
    each image that is held out; how much better it does so with the image's
    other labels than without says how much a task's targets weigh. Stacks are
    means over patches of `stride` pixels a side.

    The method is ours. It began as Joint-Task Regularization, whose single
    joint stack of all tasks, and cost, it keeps.

    Args:
        weights: Weights of the terms by name; a term that is left out has 1.
        widths: Channels of the convolutions of the restorer's two networks,
            `Denoiser` and `LabelEvidence`.
        stride: int. How much coarser the stacks are than the images.
        warm_up: int. Steps in which the distance grows linearly from 0, as
            predictions are poor at first; 0 for none.
        seed: int or None. Seed of the choice of labels that are held out.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`, two
            views.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        geometry: `(batch, views, 4)`; see `jtr_keras.ops.resample`.
        uniform: Optional random numbers, `(batch, tasks)`: of an image's
            labels, that with the largest is held out.

    Returns:
        Dict of scalars, not yet weighted: `restoration_distance`, which trains
        the network, and `restoration_error`, which trains the restorer.

    Raises:
        ValueError: If a term in `weights` is unknown, `stride` is not
            positive, or `warm_up` is negative.

    Example:

    >>> jtr_keras.LabelRestoration().loss_weights
    {'restoration_distance': 1.0, 'restoration_error': 1.0}

    Reference:
        - Ours, after [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    num_views = 2
    required_inputs = ("geometry",)

    def __init__(
        self,
        weights: Mapping[str, float] | None = None,
        widths: Sequence[int] = (24, 24),
        stride: int = 4,
        warm_up: int = 1000,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value, least in (
            ("stride", stride, 1),
            ("warm_up", warm_up, 0),
        ):
            if value < least:
                raise ValueError(
                    f"`{name}` must be at least {least}; got {value}."
                )
        usual = {"restoration_distance": 1.0, "restoration_error": 1.0}
        self.loss_weights = complete_weights(usual, weights)
        self.widths = tuple(widths)
        self.stride = stride
        self.warm_up = warm_up
        self.seed = seed

    def build_for_tasks(self) -> None:
        channels = sum(task.channels for task in self.tasks)
        stack_shape = (None, None, None, channels)
        labels_shape = (None, None, None, channels + len(self.tasks))
        self.denoiser = Denoiser(self.widths, dtype=self.dtype_policy)
        self.evidence = LabelEvidence(self.widths, dtype=self.dtype_policy)
        self.denoiser.build(stack_shape)
        self.evidence.build(stack_shape, labels_shape)
        self.reliability = ReliabilityWeights(len(self.tasks))
        # Not earlier: its variable must be made where the model's are.
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.steps = self.add_state("steps", ())

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        geometry: Tensor = None,
        uniform: Tensor | None = None,
    ) -> dict[str, Tensor]:
        if uniform is None:
            shape = (ops.shape(geometry)[0], len(self.tasks))
            uniform = keras.random.uniform(
                shape, dtype=loss_dtype(), seed=self.seed_generator
            )
        stacks = CoarseStacks.of(
            self.tasks, y_true, y_pred, labelled, geometry[:, 1], self.stride
        )
        held_out = hold_out(self.tasks, labelled, uniform)
        pairs = list(zip(stacks.annotated, held_out, strict=True))
        left = [mask * (1 - out) for mask, out in pairs]
        found = [mask * out for mask, out in pairs]
        denoised = stacks.denoise(self.denoiser)
        fixed = [ops.stop_gradient(code) for code in denoised]
        targets, restored = stacks.restore(
            self.evidence, fixed, stacks.annotated, left
        )
        errors = mean_errors(found, stacks.distances(denoised))
        with_labels = self._errors(stacks, found, restored)
        # Before this step's errors change the weights.
        distance = self._distance(stacks, targets)
        self.reliability.update(
            before=image_mean(
                self._errors(stacks, found, stacks.normalize_codes(fixed))
            ),
            after=image_mean(with_labels),
        )
        error = ops.sum(errors + with_labels, axis=-1)
        share = linear_ramp_up(self.steps, self.warm_up)
        return {
            "restoration_distance": share * image_mean(distance),
            "restoration_error": image_mean(error),
        }

    def get_config(self) -> Config:
        return super().get_config() | {
            "weights": self.loss_weights,
            "widths": self.widths,
            "stride": self.stride,
            "warm_up": self.warm_up,
            "seed": self.seed,
        }

    def _distance(
        self, stacks: CoarseStacks, targets: Sequence[Tensor]
    ) -> Tensor:
        """How far predictions are from targets where there is no label.

        Of shape `(batch,)`.
        """
        # Without a label there was no evidence to rely on.
        weights = self.reliability.task_weights()
        weights = 1.0 + stacks.has_label * (weights - 1.0)
        targets = [
            ops.clip(ops.stop_gradient(code), 0.0, 1.0) for code in targets
        ]
        maps = zip(self.tasks, targets, stacks.predictions, strict=True)
        errors = [task.codec.prediction_error(a, b) for task, a, b in maps]
        unannotated = [1 - mask for mask in stacks.annotated]
        return ops.sum(weights * mean_errors(unannotated, errors), axis=-1)

    def _errors(
        self,
        stacks: CoarseStacks,
        where: Sequence[Tensor],
        restored: Sequence[Tensor],
    ) -> Tensor:
        """How far from labels restored codes are, `(batch, tasks)`."""
        maps = zip(self.tasks, stacks.labels, restored, strict=True)
        errors = [restoration_error(task.codec, a, b) for task, a, b in maps]
        return mean_errors(where, errors)


def hold_out(
    tasks: Sequence[Task], labelled: TensorDict, uniform: Tensor
) -> list[Tensor]:
    """Which label of each image is held out: a mask `(batch, 1, 1, 1)` a task.

    Of the labels that an image has, it is the one with the largest random
    number in `uniform`, `(batch, tasks)`; an image without labels has none.
    """
    there = ops.stack([labelled[task.name] > 0 for task in tasks], axis=-1)
    numbers = ops.where(there, uniform, -ops.ones_like(uniform))
    first = ops.one_hot(
        ops.argmax(numbers, axis=-1), len(tasks), dtype=uniform.dtype
    )
    first = first * ops.cast(there, uniform.dtype)
    return ops.split(first[:, None, None, :], len(tasks), axis=-1)


def mean_errors(where: Sequence[Tensor], errors: Sequence[Tensor]) -> Tensor:
    """Mean error of each task over all patches, `(batch, tasks)`.

    `where` has a map a task: 1 for patches that count, 0 for others.
    """
    return ops.stack(
        [
            ops.mean(counts * error, axis=(1, 2, 3))
            for counts, error in zip(where, errors, strict=True)
        ],
        axis=-1,
    )
