"""Agreement of the predictions of two views."""

from typing import Any

import keras
from keras import ops

from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.views import view
from jtr_keras.regularization.common.warping import warp_to_view
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class ViewConsistency(TaskRegularization):
    """Predictions of two views agree once the geometry between them is undone.

    The prediction of the first view, warped to the second, is the target of
    the second's, in the codes of the joint space, by squared difference, summed
    over channels. Only tasks without a label take part. It is the baseline of
    MTPSL and JTR; the publications do not give its distance, this one is ours.
    (Absolute differences pull predictions towards the most frequent class.)

    Args:
        weight: float. Weight of the term.
        detach: bool. Whether the first view's prediction is a constant, so
            that only the second learns.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        geometry: `(batch, views, 4)`; see `jtr_keras.ops.resample`.

    Returns:
        Dict of the scalar `view_consistency`: mean over images, summed over
        tasks.

    Example:

    >>> views = jtr_keras.regularization.ViewConsistency(weight=2.0)
    >>> views.loss_weights
    {'view_consistency': 2.0}

    Reference:
        - [Li et al., 2022](https://arxiv.org/abs/2111.14893), baselines
    """

    num_views = 2
    required_inputs = ("geometry",)

    def __init__(
        self, weight: float = 1.0, detach: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.weight = weight
        self.detach = detach
        self.loss_weights = {"view_consistency": weight}

    def build_for_tasks(self) -> None:
        """It has no weights."""

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        geometry: Tensor = None,
    ) -> dict[str, Tensor]:
        total: Tensor = 0.0
        for task in self.tasks:
            first, second = (view(y_pred[task.name], i) for i in (0, 1))
            if self.detach:
                first = ops.stop_gradient(first)
            first = warp_to_view(task, first, geometry[:, 1])
            encode = task.codec.encode_predictions
            difference = encode(first) - encode(second)
            error = ops.sum(ops.square(difference), axis=-1)
            error = ops.mean(error, axis=(1, 2))
            unlabelled = ops.cast(labelled[task.name] == 0, error.dtype)
            total += image_mean(unlabelled * error)
        return {"view_consistency": total}

    def get_config(self) -> Config:
        return super().get_config() | {
            "weight": self.weight,
            "detach": self.detach,
        }
