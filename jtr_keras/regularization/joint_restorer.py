"""What the default Joint-Task Regularization learns beside the network."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.regularization.denoiser import Denoiser
from jtr_keras.regularization.label_evidence import LabelEvidence
from jtr_keras.regularization.trust import Trust
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointRestorer(keras.layers.Layer):
    """Restores missing labels of joint stacks in two steps.

    `denoiser` corrects predictions by themselves; `evidence` finds what the
    labels of other tasks add to that. `trust` says how far to believe it.

    Args:
        widths: Channels of the convolutions of both networks; see `Denoiser`
            and `LabelEvidence`.
        stride: int. How much coarser its stacks are than images; who calls it
            makes them so.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.
        labels: Stack of shape `(batch, height, width, channels + tasks)`:
            labels, and for each task where they are known; 0 elsewhere.

    Returns:
        Corrected predictions and the evidence of labels, of the shape of
        `predictions`.
    """

    def __init__(
        self, widths: Sequence[int], stride: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.stride = stride
        self.denoiser = Denoiser(self.widths, dtype=self.dtype_policy)
        self.evidence = LabelEvidence(self.widths, dtype=self.dtype_policy)

    def build(self, predictions_shape: Shape, labels_shape: Shape) -> None:
        self.denoiser.build(predictions_shape)
        self.evidence.build(predictions_shape, labels_shape)
        known: Any = labels_shape[-1]
        channels: Any = predictions_shape[-1]
        self.trust = Trust(known - channels)

    def call(
        self, predictions: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.denoiser(predictions), self.evidence(predictions, labels)

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "stride": self.stride,
        }
