"""The network that restores the labels of some tasks from those of others."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.places import places, slopes
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointRestorer(keras.layers.Layer):
    """A denoising autoencoder of joint stacks: from predictions to labels.

    It adds a correction to a stack of predictions, for which it also sees a
    stack of the labels that are known, and their slopes: a normal is in the
    slopes of a depth map, not in its values. What it makes of the labels starts
    at 0, and so does the correction: it returns the predictions as they are
    until it has seen an image with a label given and another one to restore.

    Args:
        widths: Channels of each convolution but the last. The first is 1x1,
            all others 3x3; each one from the third on is dilated twice as much
            as the one before.
        stride: int. How much coarser its stacks are than images; who calls it
            makes them so.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.
        labels: Stack of shape `(batch, height, width, any)`, 0 where nothing
            is known.

    Returns:
        Stack of the shape of `predictions`, in at least float32.

    Reference:
        - [Vincent et al., 2008](https://doi.org/10.1145/1390156.1390294)
    """

    def __init__(
        self, widths: Sequence[int], stride: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.stride = stride
        self.from_predictions = self._conv(self.widths[0], 1)
        self.from_labels = self._conv(
            self.widths[0], 1, kernel_initializer="zeros", use_bias=False
        )
        self.hidden = [
            self._conv(width, dilation_rate=2**level)
            for level, width in enumerate(self.widths[1:])
        ]

    def build(self, predictions_shape: Shape, labels_shape: Shape) -> None:
        channels: Any = predictions_shape[-1]
        self.correction = self._conv(
            channels,
            kernel_initializer="zeros",
            dtype=keras.backend.result_type(self.compute_dtype, "float32"),
        )
        size = (None, None, None)
        self.from_predictions.build((*size, channels + 2))
        given: Any = labels_shape[-1]
        self.from_labels.build((*size, 3 * given))
        for before, layer in zip(
            self.widths, [*self.hidden, self.correction], strict=True
        ):
            layer.build((*size, before))

    def call(self, predictions: Tensor, labels: Tensor) -> Tensor:
        placed = ops.concatenate([predictions, places(predictions)], axis=-1)
        given = ops.concatenate([labels, slopes(labels)], axis=-1)
        features = ops.relu(
            self.from_predictions(placed) + self.from_labels(given)
        )
        for layer in self.hidden:
            features = ops.relu(layer(features))
        correction = self.correction(features)
        return ops.cast(predictions, correction.dtype) + correction

    def compute_output_shape(
        self, predictions_shape: Shape, labels_shape: Shape
    ) -> Shape:
        return predictions_shape

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "stride": self.stride,
        }

    def _conv(
        self, filters: int, size: int = 3, **options: Any
    ) -> keras.layers.Conv2D:
        usual = {"padding": "same", "dtype": self.dtype_policy}
        return keras.layers.Conv2D(filters, size, **(usual | options))
