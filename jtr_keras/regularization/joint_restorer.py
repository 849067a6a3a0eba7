"""The network that restores the labels of some tasks from those of others."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.places import places, slopes
from jtr_keras.regularization.trust import Trust
from jtr_keras.types import Config, Shape, Tensor

LABEL_SCALE = 3.0
"""Labels are this much larger, so that a kernel that starts at 0 learns faster.

A step of Adam is of the same size whatever the inputs are.
"""


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointRestorer(keras.layers.Layer):
    """A denoising autoencoder of joint stacks: what predictions lack.

    It makes a correction of a stack of predictions, for which it also sees a
    stack of the labels that are known, and their slopes: a normal is in the
    slopes of a depth map, not in its values. It corrects what labels say, and
    nothing without any. Labels start without influence, and those of a task
    stay so as long as no image had them beside another one to be restored.

    Args:
        widths: Channels of each convolution but the last. The first is 1x1,
            all others 3x3; each one from the third on is dilated twice as much
            as the one before.
        stride: int. How much coarser its stacks are than images; who calls it
            makes them so.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.
        labels: Stack of shape `(batch, height, width, channels + tasks)`:
            labels, and for each task where they are known; 0 elsewhere.

    Returns:
        Correction of the shape of `predictions`, in at least float32; see
        `Task.correct`.

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
            self._conv(width, dilation_rate=2**level, use_bias=False)
            for level, width in enumerate(self.widths[1:])
        ]

    def build(self, predictions_shape: Shape, labels_shape: Shape) -> None:
        channels: Any = predictions_shape[-1]
        given: Any = labels_shape[-1]
        self.trust = Trust(given - channels)
        self.correction = self._conv(
            channels,
            use_bias=False,
            dtype=keras.backend.result_type(self.compute_dtype, "float32"),
        )
        size = (None, None, None)
        self.from_predictions.build((*size, channels + 2))
        self.from_labels.build((*size, 3 * given))
        for before, layer in zip(
            self.widths, [*self.hidden, self.correction], strict=True
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
            features = ops.elu(layer(features))
        return self.correction(features)

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
