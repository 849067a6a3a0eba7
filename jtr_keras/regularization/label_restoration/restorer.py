"""The two networks that restore missing labels."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.coordinates import coordinate_channels, image_gradients
from jtr_keras.types import Config, Shape, Tensor

LABEL_SCALE = 3.0
"""Labels are this much larger, so that a kernel that starts at 0 learns faster.

A step of Adam is of the same size whatever the inputs are.
"""


@keras.saving.register_keras_serializable(package="jtr_keras")
class Denoiser(keras.layers.Layer):
    """A denoising autoencoder of joint stacks: it adds a correction.

    The correction starts at 0.

    Args:
        widths: Channels of its convolutions but the last, which makes the
            correction. The first is 1x1, all others 3x3; each one of `widths`
            from the third on is dilated twice as much as the one before.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        predictions: Stack of shape `(batch, height, width, channels)`.

    Returns:
        Stack of the same shape, in at least float32.

    Reference:
        - [Vincent et al., 2008](https://doi.org/10.1145/1390156.1390294)
    """

    def __init__(self, widths: Sequence[int], **kwargs: Any) -> None:
        # Convolutions cast for themselves; what is corrected stays precise.
        super().__init__(**({"autocast": False} | kwargs))
        self.widths = tuple(widths)
        self.first = keras.layers.Conv2D(
            self.widths[0], 1, activation="relu", dtype=self.dtype_policy
        )

    def build(self, input_shape: Shape) -> None:
        size = input_shape[:-1]
        channels: Any = input_shape[-1]
        self.first.build((*size, channels + 2))
        self.correction = DilatedConvs(
            self.widths[1:],
            channels,
            last={"kernel_initializer": "zeros"},
            dtype=self.dtype_policy,
        )
        self.correction.build((*size, self.widths[0]))

    def call(self, predictions: Tensor) -> Tensor:
        placed = ops.concatenate(
            [predictions, coordinate_channels(predictions)], axis=-1
        )
        correction = self.correction(self.first(placed))
        return ops.cast(predictions, correction.dtype) + correction

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return super().get_config() | {"widths": self.widths}


@keras.saving.register_keras_serializable(package="jtr_keras")
class LabelEvidence(keras.layers.Layer):
    """What the labels of some tasks say of all tasks, beside predictions.

    It sees the gradients of labels, too: a normal is in the gradients of a
    depth map, not in its values. Where no label is known, the evidence is 0.
    Labels start without influence; those of a task get some when images have
    them beside another label that is to be restored.

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
        `jtr_keras.regularization.label_restoration.stacks.with_evidence`.
    """

    def __init__(self, widths: Sequence[int], **kwargs: Any) -> None:
        # Convolutions cast for themselves; gradients are of precise labels.
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
        label_channels: Any = labels_shape[-1]
        self.from_predictions.build((*size, channels + 2))
        self.from_labels.build((*size, 3 * label_channels))
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
        placed = ops.concatenate(
            [predictions, coordinate_channels(predictions)], axis=-1
        )
        scaled = LABEL_SCALE * ops.concatenate(
            [labels, image_gradients(labels)], axis=-1
        )
        alone = self.from_predictions(placed)
        together = alone + self.from_labels(scaled)
        # From here on 0 stays 0, and has a gradient.
        return self.evidence(ops.relu(together) - ops.relu(alone))

    def compute_output_shape(
        self, predictions_shape: Shape, labels_shape: Shape
    ) -> Shape:
        return predictions_shape

    def get_config(self) -> Config:
        return super().get_config() | {"widths": self.widths}


@keras.saving.register_keras_serializable(package="jtr_keras")
class DilatedConvs(keras.layers.Layer):
    """3x3 convolutions, each dilated twice as much as the one before.

    After them comes one that is not dilated and has no activation. It is a part
    of other layers, which make it anew when they are loaded.

    Args:
        widths: Channels of each dilated convolution.
        channels: Channels of the result.
        activation: Activation of the dilated convolutions.
        use_bias: Whether convolutions have a bias.
        last: Further arguments of the last one, of `keras.layers.Conv2D`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        features: Tensor of shape `(batch, height, width, any)`.

    Returns:
        Tensor of shape `(batch, height, width, channels)`, in at least
        float32.
    """

    def __init__(
        self,
        widths: Sequence[int],
        channels: int,
        activation: str = "relu",
        use_bias: bool = True,
        last: Config | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        usual = {"kernel_size": 3, "padding": "same", "use_bias": use_bias}
        self.convs = [
            keras.layers.Conv2D(
                width,
                activation=activation,
                dilation_rate=2**level,
                dtype=self.dtype_policy,
                **usual,
            )
            for level, width in enumerate(widths)
        ]
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        self.convs.append(
            keras.layers.Conv2D(
                channels, **({"dtype": dtype} | usual | (last or {}))
            )
        )

    def build(self, input_shape: Shape) -> None:
        for layer in self.convs:
            layer.build(input_shape)
            input_shape = (*input_shape[:-1], layer.filters)

    def call(self, features: Tensor) -> Tensor:
        for layer in self.convs:
            features = layer(features)
        return features
