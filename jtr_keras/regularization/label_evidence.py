"""The network that finds what the labels of some tasks say of the others."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.places import places, slopes
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
        widths: Channels of each convolution but the last. The first and the
            last are 1x1, all others 3x3; each one from the third on is dilated
            twice as much as the one before.
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
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        first, *others = self.widths
        self.from_predictions = self._conv(first, 1, use_bias=True)
        self.from_labels = self._conv(first, 1, kernel_initializer="zeros")
        self.hidden = [
            self._conv(width, 3, activation="elu", dilation_rate=2**level)
            for level, width in enumerate(others)
        ]

    def build(self, predictions_shape: Shape, labels_shape: Shape) -> None:
        channels: Any = predictions_shape[-1]
        given: Any = labels_shape[-1]
        self.evidence = self._conv(
            channels,
            1,
            dtype=keras.backend.result_type(self.compute_dtype, "float32"),
        )
        size = (None, None, None)
        self.from_predictions.build((*size, channels + 2))
        self.from_labels.build((*size, 3 * given))
        for before, layer in zip(
            self.widths, [*self.hidden, self.evidence], strict=True
        ):
            layer.build((*size, before))

    def call(self, predictions: Tensor, labels: Tensor) -> Tensor:
        placed = ops.concatenate([predictions, places(predictions)], axis=-1)
        given = LABEL_SCALE * ops.concatenate([labels, slopes(labels)], axis=-1)
        alone = self.from_predictions(placed)
        together = alone + self.from_labels(given)
        # From here on 0 stays 0, and has a gradient.
        features = ops.relu(together) - ops.relu(alone)
        for layer in self.hidden:
            features = layer(features)
        return self.evidence(features)

    def compute_output_shape(
        self, predictions_shape: Shape, labels_shape: Shape
    ) -> Shape:
        return predictions_shape

    def get_config(self) -> Config:
        return super().get_config() | {"widths": self.widths}

    def _conv(
        self, filters: int, size: int, **options: Any
    ) -> keras.layers.Conv2D:
        usual = {
            "padding": "same",
            "use_bias": False,
            "dtype": self.dtype_policy,
        }
        return keras.layers.Conv2D(filters, size, **(usual | options))
