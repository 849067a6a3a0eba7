"""The network that finds what the labels of some tasks say of the others."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.places import places, slopes
from jtr_keras.regularization.dilated_convs import DilatedConvs
from jtr_keras.types import Config, Shape, Tensor

LABEL_SCALE = 3.0
"""Labels are this much larger, so that a kernel that starts at 0 learns faster.

A step of Adam is of the same size whatever the inputs are.
"""


@keras.saving.register_keras_serializable(package="jtr_keras")
class LabelEvidence(keras.layers.Layer):
    """What the labels of some tasks say of all tasks, beside predictions.

    It sees the slopes of labels, too: a normal is in the slopes of a depth map,
    not in its values. Without a label it says nothing, which is 0. Labels
    start without influence, and those of a task stay so as long as no image had
    them beside another one to be restored.

    Args:
        widths: Channels of its convolutions but the last, which makes the
            evidence. The first, one of predictions and one of labels, and the
            last are 1x1, all others 3x3; each one of `widths` from the third on
            is dilated twice as much as the one before.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.
        labels: Stack of shape `(batch, height, width, any)`, 0 where nothing
            is known.

    Returns:
        Evidence of the shape of `predictions`, in at least float32; see
        `Task.with_evidence`.
    """

    def __init__(self, widths: Sequence[int], **kwargs: Any) -> None:
        # Convolutions cast for themselves; slopes are of precise labels.
        super().__init__(**({"autocast": False} | kwargs))
        self.widths = tuple(widths)
        first, policy = self.widths[0], self.dtype_policy
        self.from_predictions = keras.layers.Conv2D(first, 1, dtype=policy)
        self.from_labels = keras.layers.Conv2D(
            first,
            1,
            use_bias=False,
            kernel_initializer="zeros",
            dtype=policy,
        )

    def build(self, predictions_shape: Shape, labels_shape: Shape) -> None:
        size = predictions_shape[:-1]
        channels: Any = predictions_shape[-1]
        given: Any = labels_shape[-1]
        self.from_predictions.build((*size, channels + 2))
        self.from_labels.build((*size, 3 * given))
        self.evidence = DilatedConvs(
            self.widths[1:],
            channels,
            activation="elu",
            use_bias=False,
            last={"kernel_size": 1},
            dtype=self.dtype_policy,
        )
        self.evidence.build((*size, self.widths[0]))

    def call(self, predictions: Tensor, labels: Tensor) -> Tensor:
        placed = ops.concatenate([predictions, places(predictions)], axis=-1)
        given = LABEL_SCALE * ops.concatenate([labels, slopes(labels)], axis=-1)
        alone = self.from_predictions(placed)
        together = alone + self.from_labels(given)
        # From here on 0 stays 0, and has a gradient.
        return self.evidence(ops.relu(together) - ops.relu(alone))

    def compute_output_shape(
        self, predictions_shape: Shape, labels_shape: Shape
    ) -> Shape:
        return predictions_shape

    def get_config(self) -> Config:
        return super().get_config() | {"widths": self.widths}
