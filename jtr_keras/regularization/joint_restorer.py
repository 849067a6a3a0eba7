"""What the default Joint-Task Regularization learns beside the network."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.regularization.denoiser import Denoiser
from jtr_keras.regularization.label_evidence import LabelEvidence
from jtr_keras.regularization.trust import Trust
from jtr_keras.types import Config, Shape


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
        channels: Any = predictions_shape[-1]
        channels_and_tasks: Any = labels_shape[-1]
        self.trust = Trust(channels_and_tasks - channels)

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "stride": self.stride,
        }
