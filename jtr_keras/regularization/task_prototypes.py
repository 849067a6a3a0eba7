"""What labelled positions look like in feature space."""

from functools import singledispatch
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.masking import image_mean, masked_mean
from jtr_keras.ops.precision import full_precision, loss_dtype
from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.ops.views import view
from jtr_keras.regularization.common.encoding import encode_targets
from jtr_keras.regularization.common.patch_grid import PatchGrid
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.tasks.codec import Categorical, Codec
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class TaskPrototypes(TaskRegularization):
    """Embeddings near the prototype of their label; predictions that agree.

    Every task's codes in the joint space are assigned to bins: classes, or
    bins of each channel. The prototype of a bin is the average over the past
    steps of the embeddings of the positions with that label. Embeddings are
    projected features, one space for all tasks, of unit length. The contrast
    pulls a labelled position to its bin's prototype and away from others; the
    consistency pulls predictions without a label to the bins whose prototypes
    their position resembles, as much as it resembles these alone. So labels of
    one task, which move embeddings, reach the predictions of another.

    The design is ours. Cost is linear in the number of tasks.

    Args:
        contrast_weight: float. Weight of the contrast.
        consistency_weight: float. Weight of the consistency.
        dim: int. Dimension of the embeddings.
        num_bins: int. Bins of each channel of a task without classes.
        stride: int. Pixels between two positions, a power of two.
        temperature: float. What cosines are divided by.
        momentum: float. Share of a prototype that a step keeps.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        features: `(batch, views, height / r, width / r, channels)`.

    Returns:
        Dict of the scalars `prototype_contrast` and `prototype_consistency` of
        the first view: means over images, summed over tasks.

    Raises:
        ValueError: If `num_bins` is less than 2, `stride` no positive power of
            two, `temperature` not positive, or `momentum` not in `[0, 1)`.

    Example:

    >>> prototypes = jtr_keras.regularization.TaskPrototypes()
    >>> sorted(prototypes.loss_weights)
    ['prototype_consistency', 'prototype_contrast']

    Reference:
        - Ours, after [Snell et al., 2017](https://arxiv.org/abs/1703.05175)
          and [van den Oord et al., 2018](https://arxiv.org/abs/1807.03748)
    """

    required_inputs = ("features",)

    def __init__(
        self,
        contrast_weight: float = 0.1,
        consistency_weight: float = 0.1,
        dim: int = 32,
        num_bins: int = 8,
        stride: int = 8,
        temperature: float = 0.1,
        momentum: float = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_bins < 2:
            raise ValueError(f"`num_bins` must be at least 2; got {num_bins}.")
        if stride < 1 or stride & (stride - 1):
            raise ValueError(
                f"`stride` must be a positive power of two; got {stride}."
            )
        if not temperature > 0:
            raise ValueError(
                f"`temperature` must be positive; got {temperature}."
            )
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1); got {momentum}.")
        self.loss_weights = {
            "prototype_contrast": contrast_weight,
            "prototype_consistency": consistency_weight,
        }
        self.dim = dim
        self.num_bins = num_bins
        self.stride = stride
        self.temperature = temperature
        self.momentum = momentum

    def build_for_tasks(self) -> None:
        self.projection = keras.layers.Dense(
            self.dim, use_bias=False, dtype=loss_dtype()
        )
        self.projection.build((None, None, None, self.feature_channels))
        self.prototypes = {task.name: self._memory(task) for task in self.tasks}

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        features: Tensor = None,
    ) -> dict[str, Tensor]:
        first = view(features, 0)
        size = y_pred[self.tasks[0].name].shape[2:4]
        grid = PatchGrid(size, first.shape[1:3], self.stride)
        means = grid.feature_means(full_precision(first))
        embeddings = unit_vectors(self.projection(means))
        contrast: Tensor = 0.0
        consistency: Tensor = 0.0
        for task in self.tasks:
            name = task.name
            has_label = ops.cast(labelled[name] > 0, embeddings.dtype)
            log_shares, seen = self._resemblance(task, embeddings)
            bins, valid = self._label_bins(task, view(y_true[name], 0), grid)
            error = _cross_entropy(ops.where(seen, bins, 0.0), log_shares)
            contrast += image_mean(has_label * masked_mean(error, valid))
            codes = grid.means(
                task.codec.encode_predictions(view(y_pred[name], 0))
            )
            shares = ops.where(seen, ops.exp(log_shares), 0.0)
            certainty = _certainty(shares, log_shares, seen)
            error = _cross_entropy(
                ops.stop_gradient(certainty * shares),
                ops.log(soft_bins(task.codec, codes, self.num_bins) + 1e-12),
            )
            error = ops.mean(error, axis=(1, 2, 3))
            consistency += image_mean((1.0 - has_label) * error)
            weight = has_label[:, None, None, None] * valid
            self._update(task, embeddings, weight[..., None] * bins)
        return {
            "prototype_contrast": contrast,
            "prototype_consistency": consistency,
        }

    def get_config(self) -> Config:
        return super().get_config() | {
            "contrast_weight": self.loss_weights["prototype_contrast"],
            "consistency_weight": self.loss_weights["prototype_consistency"],
            "dim": self.dim,
            "num_bins": self.num_bins,
            "stride": self.stride,
            "temperature": self.temperature,
            "momentum": self.momentum,
        }

    def _memory(self, task: Task) -> Any:
        """Average embedding of each bin; its length is the bin's share."""
        code = ops.zeros((1, task.channels))
        bins = soft_bins(task.codec, code, self.num_bins)
        return self.add_state(
            f"prototypes_{task.name}", (*bins.shape[1:], self.dim)
        )

    def _resemblance(
        self, task: Task, embeddings: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log shares of the bins at each position, and which bins were seen.

        Shapes `(batch, rows, columns, groups, bins)` and `(groups, bins)`.
        """
        directions = unit_vectors(self.prototypes[task.name].value)
        seen = ops.any(directions != 0, axis=-1)
        cosines = ops.einsum("bijd,gkd->bijgk", embeddings, directions)
        logits = ops.where(seen, cosines / self.temperature, -1e9)
        return ops.log_softmax(logits), seen

    def _label_bins(
        self, task: Task, targets: Tensor, grid: PatchGrid
    ) -> tuple[Tensor, Tensor]:
        """Bins of the mean label of each patch, and its annotated share."""
        mask = task.valid_mask(targets)
        valid = grid.means(mask)
        codes = grid.means(mask * encode_targets(task, targets))
        codes = codes / ops.where(valid > 0, valid, 1.0)
        return soft_bins(task.codec, codes, self.num_bins), valid

    def _update(self, task: Task, embeddings: Tensor, weights: Tensor) -> None:
        """Means over positions, so that replicas' means are the batch's."""
        memory = self.prototypes[task.name]
        sums = ops.einsum(
            "bijgk,bijd->bgkd", weights, ops.stop_gradient(embeddings)
        )
        # Averages never forget a NaN.
        sums = ops.where(ops.isfinite(sums), sums, 0.0)
        _, rows, columns, _ = embeddings.shape
        found = image_mean(sums) / (rows * columns)
        memory.assign(self.momentum * memory + (1.0 - self.momentum) * found)


def _certainty(shares: Tensor, log_shares: Tensor, seen: Tensor) -> Tensor:
    """1 where all resemble one bin, 0 where they resemble all seen alike."""
    entropy = -ops.sum(shares * log_shares, axis=-1, keepdims=True)
    count = ops.sum(ops.cast(seen, shares.dtype), axis=-1, keepdims=True)
    certainty = 1.0 - entropy / ops.log(ops.maximum(count, 2.0))
    return ops.where(count > 1, certainty, 0.0)


def _cross_entropy(shares: Tensor, log_shares: Tensor) -> Tensor:
    """Mean over groups, `(batch, rows, columns, 1)`."""
    return -ops.mean(ops.sum(shares * log_shares, axis=-1), -1, keepdims=True)


@singledispatch
def soft_bins(codec: Codec, code: Tensor, num_bins: int) -> Tensor:
    """Soft assignment of codes to bins, `(..., groups, bins)`.

    It sums to 1 over the bins. By default every channel is a group, its bins
    are spread evenly over `[0, 1]`, and the share of one that is `n` spacings
    away from the code is proportional to `exp(-n**2)`.
    """
    centres = ops.arange(num_bins, dtype=code.dtype) / (num_bins - 1)
    spacings = (code[..., None] - centres) * (num_bins - 1)
    return ops.softmax(-ops.square(spacings))


@soft_bins.register
def _(codec: Categorical, code: Tensor, num_bins: int) -> Tensor:
    return code[..., None, :]  # The classes are the bins.
