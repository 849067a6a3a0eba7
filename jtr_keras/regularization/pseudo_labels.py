"""Learning from what a teacher is sure of."""

from functools import singledispatch
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.views import view
from jtr_keras.regularization.common.encoding import encode_targets
from jtr_keras.regularization.common.warping import warp_to_view
from jtr_keras.regularization.task_regularization import (
    TaskRegularization,
    linear_ramp_up,
)
from jtr_keras.tasks.codec import Categorical, Codec
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class PseudoLabels(TaskRegularization):
    """A teacher's predictions are the targets of tasks without a label.

    The teacher is the average of the network over the past steps. What it
    predicts for the first view, warped to the second, is the target of what the
    network predicts for the second view. The error is the codec's
    `prediction_error`; an absolute error would pull as strongly at a prediction
    that has nearly arrived, and hold it where the teacher is.

    Only pixels that the teacher is sure of count. Where predictions are
    probabilities, the largest must be at least `threshold`. Elsewhere the codes
    of the teacher's predictions for both views must agree within `tolerance`.
    The sum of the errors is divided by the number of all pixels, so that few
    sure pixels weigh little. How regressions are tested and compared is ours.

    Args:
        weight: float. Weight of the term.
        threshold: float. Smallest probability of a pseudo label.
        tolerance: float. Largest difference of two codes, which lie in
            `[0, 1]`, in any channel.
        warm_up: int. Steps in which the weight grows linearly from 0: the
            teacher of the first steps agrees with itself, but with nothing
            else. 0 for none.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        teacher: Dict of the teacher's predictions, like `y_pred`.
        geometry: `(batch, views, 4)`; see `jtr_keras.ops.resample`.

    Returns:
        Dict of the scalar `pseudo_labels`: mean over images, summed over
        tasks.

    Raises:
        ValueError: If `threshold` is not in `[0, 1]`, or if `tolerance` or
            `warm_up` is negative.

    Example:

    >>> pseudo_labels = jtr_keras.regularization.PseudoLabels(threshold=0.95)
    >>> pseudo_labels.loss_weights
    {'pseudo_labels': 1.0}

    Reference:
        - [Tarvainen and Valpola, 2017](https://arxiv.org/abs/1703.01780)
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685)
    """

    num_views = 2
    teacher_views = 2
    required_inputs = ("teacher", "geometry")

    def __init__(
        self,
        weight: float = 1.0,
        threshold: float = 0.9,
        tolerance: float = 0.05,
        warm_up: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= threshold <= 1:
            raise ValueError(f"`threshold` must be in [0, 1]; got {threshold}.")
        for name, value in (("tolerance", tolerance), ("warm_up", warm_up)):
            if value < 0:
                raise ValueError(f"`{name}` must be at least 0; got {value}.")
        self.weight = weight
        self.threshold = threshold
        self.tolerance = tolerance
        self.warm_up = warm_up
        self.loss_weights = {"pseudo_labels": weight}

    def build_for_tasks(self) -> None:
        self.steps = self.add_state("steps", ())

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        teacher: TensorDict | None = None,
        geometry: Tensor = None,
    ) -> dict[str, Tensor]:
        assert teacher is not None
        total: Tensor = 0.0
        for task in self.tasks:
            error = self._error(
                task, y_pred[task.name], teacher[task.name], geometry
            )
            unlabelled = ops.cast(labelled[task.name] == 0, error.dtype)
            total += image_mean(unlabelled * error)
        return {
            "pseudo_labels": linear_ramp_up(self.steps, self.warm_up) * total
        }

    def get_config(self) -> Config:
        return super().get_config() | {
            "weight": self.weight,
            "threshold": self.threshold,
            "tolerance": self.tolerance,
            "warm_up": self.warm_up,
        }

    def _error(
        self, task: Task, y_pred: Tensor, teacher: Tensor, geometry: Tensor
    ) -> Tensor:
        """Errors of the second view's pixels that count, `(batch,)`."""
        teacher = ops.stop_gradient(teacher)
        predictions = warp_to_view(task, view(teacher, 0), geometry[:, 1])
        mask = confidence_mask(
            task.codec,
            predictions,
            view(teacher, 1),
            self.threshold,
            self.tolerance,
        )
        targets = task.codec.to_targets(predictions)
        mask = mask * task.valid_mask(targets)
        code = encode_targets(task, targets)
        error = task.codec.prediction_error(code, view(y_pred, 1))
        # Not a product: what is masked may be NaN.
        error = ops.where(mask > 0, error, ops.zeros_like(error))
        return ops.mean(error, axis=(1, 2, 3))


@singledispatch
def confidence_mask(
    codec: Codec,
    predictions: Tensor,
    others: Tensor,
    threshold: float,
    tolerance: float,
) -> Tensor:
    """1.0 where predictions are good enough to learn from.

    By default, where every channel of their code differs by at most `tolerance`
    from that of `others`, a second prediction of the same pixels. Codecs of
    probabilities ask for `threshold` instead.

    Returns shape `(batch, height, width, 1)`.
    """
    difference = ops.abs(
        codec.encode_predictions(predictions) - codec.encode_predictions(others)
    )
    agreed = ops.all(difference <= tolerance, axis=-1, keepdims=True)
    return ops.cast(agreed, loss_dtype())


@confidence_mask.register
def _(
    codec: Categorical,
    predictions: Tensor,
    others: Tensor,
    threshold: float,
    tolerance: float,
) -> Tensor:
    largest = ops.max(ops.softmax(predictions), axis=-1, keepdims=True)
    return ops.cast(largest >= threshold, loss_dtype())
