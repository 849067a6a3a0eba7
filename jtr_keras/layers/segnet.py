"""The layers of SegNet: encoder, decoder and what joins them."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.types import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class IndexedPooling(keras.layers.Layer):
    """2x2 max pooling that also returns the places of the maxima.

    The places are a one-hot mask of each window. Unlike the flat indices of
    `tf.nn.max_pool_with_argmax`, a mask compiles under XLA. The first of equal
    maxima counts, as in PyTorch, and receives the whole gradient.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, height and
            width even.

    Returns:
        The pooled tensor, `(batch, height / 2, width / 2, channels)`, and the
        mask, `(batch, height / 2, 2, width / 2, 2, channels)`.

    Example:

    >>> inputs = keras.ops.reshape([1.0, 4.0, 3.0, 4.0], (1, 2, 2, 1))
    >>> pooled, mask = jtr_keras.layers.IndexedPooling()(inputs)
    >>> pooled.numpy().ravel().tolist(), mask.numpy().ravel().tolist()
    ([4.0], [0.0, 1.0, 0.0, 0.0])

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        _, height, width, channels = ops.shape(inputs)
        windows = ops.reshape(
            inputs, (-1, height // 2, 2, width // 2, 2, channels)
        )
        mask = ops.stop_gradient(_first_maximum(windows))
        return ops.sum(windows * mask, axis=(2, 4)), mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        batch, height, width, channels = input_shape
        height = None if height is None else height // 2
        width = None if width is None else width // 2
        mask_shape = (batch, height, 2, width, 2, channels)
        return (batch, height, width, channels), mask_shape


def _first_maximum(windows: Tensor) -> Tensor:
    """One-hot over the axes 2 and 4, first in scan order.

    Of one place by construction. Not where a value equals the maximum: XLA may
    compute a value twice, in two roundings, and find it nowhere.
    """
    left, right = windows[:, :, :, :, :1], windows[:, :, :, :, 1:]
    columns = _one_of_two(left, right, axis=4)
    rows = ops.maximum(left, right)
    return columns * _one_of_two(rows[:, :, :1], rows[:, :, 1:], axis=2)


def _one_of_two(first: Tensor, second: Tensor, axis: int) -> Tensor:
    """1 for the larger one of two, the first one of equals; 0 for the other."""
    chosen = ops.cast(second > first, first.dtype)
    return ops.concatenate([1 - chosen, chosen], axis=axis)


@keras.saving.register_keras_serializable(package="jtr_keras")
class IndexedUnpooling(keras.layers.Layer):
    """Undoes `IndexedPooling`: each value goes where its maximum was.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        mask: What `IndexedPooling` returned,
            `(batch, height, 2, width, 2, channels)`.

    Returns:
        Tensor of shape `(batch, 2 * height, 2 * width, channels)`, 0 elsewhere.

    Example:

    >>> inputs = keras.ops.reshape([1.0, 4.0, 3.0, 4.0], (1, 2, 2, 1))
    >>> pooled, mask = jtr_keras.layers.IndexedPooling()(inputs)
    >>> unpooled = jtr_keras.layers.IndexedUnpooling()(pooled, mask)
    >>> unpooled.numpy().ravel().tolist()
    [0.0, 4.0, 0.0, 0.0]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs: Tensor, mask: Tensor) -> Tensor:
        _, height, width, channels = ops.shape(inputs)
        windows = inputs[:, :, None, :, None, :] * mask
        return ops.reshape(windows, (-1, 2 * height, 2 * width, channels))

    def compute_output_shape(
        self, inputs_shape: Shape, mask_shape: Shape
    ) -> Shape:
        batch, height, width, channels = inputs_shape
        height = None if height is None else 2 * height
        width = None if width is None else 2 * width
        return batch, height, width, channels


@keras.saving.register_keras_serializable(package="jtr_keras")
class SegNetEncoder(keras.layers.Layer):
    """Levels of convolutions, each ended by a 2x2 pooling with its mask.

    Args:
        widths: Channels of each level.
        num_convs: Convolutions of each level.
        normalization: `"batch"` or `"instance"`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, both sizes
            divisible by `2 ** len(widths)`.
        training: Whether batch statistics are used and updated.

    Returns:
        The features, of shape
        `(batch, height / 2**levels, width / 2**levels, widths[-1])`, and the
        list of the levels' pooling masks.

    Raises:
        ValueError: If `widths` and `num_convs` differ in length.

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
    """

    def __init__(
        self,
        widths: Sequence[int],
        num_convs: Sequence[int],
        normalization: str = "batch",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not widths or len(widths) != len(num_convs) or min(num_convs) < 1:
            raise ValueError(
                "`widths` and `num_convs` need one positive number a level "
                f"each; got {tuple(widths)} and {tuple(num_convs)}."
            )
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.normalization = normalization
        dtype = self.dtype_policy
        # One flat list: Keras saves no layer in a list of lists.
        self.blocks = [
            ConvBlock(width, normalization, dtype=dtype)
            for width, count in zip(self.widths, self.num_convs, strict=True)
            for _ in range(count)
        ]
        self.pooling = IndexedPooling(dtype=dtype)

    def build(self, input_shape: Shape) -> None:
        for block in self.blocks:
            block.build(input_shape)
            input_shape = block.compute_output_shape(input_shape)

    def call(
        self, inputs: Tensor, training: bool | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        features, masks = inputs, []
        blocks = iter(self.blocks)
        for count in self.num_convs:
            for block in itertools.islice(blocks, count):
                features = block(features, training=training)
            features, mask = self.pooling(features)
            masks.append(mask)
        return features, masks

    def compute_output_shape(
        self, input_shape: Shape
    ) -> tuple[Shape, list[Shape]]:
        masks = []
        for width in self.widths:
            shape = (*input_shape[:-1], width)
            input_shape, mask = self.pooling.compute_output_shape(shape)
            masks.append(mask)
        return input_shape, masks

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
            "normalization": self.normalization,
        }


@keras.saving.register_keras_serializable(package="jtr_keras")
class SegNetDecoder(keras.layers.Layer):
    """Mirror of `SegNetEncoder`: unpooling, then convolutions, level by level.

    The first convolution of a level narrows to the width of the level above.

    Args:
        widths: The encoder's channels of each level.
        num_convs: The encoder's convolutions of each level.
        normalization: `"batch"` or `"instance"`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        features: What the encoder returned,
            `(batch, height / 2**levels, width / 2**levels, widths[-1])`.
        masks: The encoder's pooling masks, one a level.
        training: Whether batch statistics are used and updated.

    Returns:
        Tensor of shape `(batch, height, width, widths[0])`.

    Reference:
        - [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)
    """

    def __init__(
        self,
        widths: Sequence[int],
        num_convs: Sequence[int],
        normalization: str = "batch",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.normalization = normalization
        dtype = self.dtype_policy
        outputs = (self.widths[0], *self.widths[:-1])
        # One flat list, coarsest first: Keras saves no layer in a list of
        # lists.
        self.blocks = [
            ConvBlock(width, normalization, dtype=dtype)
            for width, count in zip(
                outputs[::-1], self.num_convs[::-1], strict=True
            )
            for _ in range(count)
        ]
        self.unpooling = IndexedUnpooling(dtype=dtype)

    def build(
        self, features_shape: Shape, masks_shape: list[Shape] | None = None
    ) -> None:
        shape = features_shape
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def call(
        self,
        features: Tensor,
        masks: list[Tensor],
        training: bool | None = None,
    ) -> Tensor:
        return self.pyramid(features, masks, training)[0]

    def pyramid(
        self,
        features: Tensor,
        masks: list[Tensor],
        training: bool | None = None,
    ) -> list[Tensor]:
        """The result of every level, from the finest to the coarsest."""
        blocks, maps = iter(self.blocks), []
        for count, mask in zip(self.num_convs[::-1], masks[::-1], strict=True):
            features = self.unpooling(features, mask)
            for block in itertools.islice(blocks, count):
                features = block(features, training=training)
            maps.append(features)
        return maps[::-1]

    def compute_output_shape(
        self, features_shape: Shape, masks_shape: list[Shape]
    ) -> Shape:
        batch, height, _, width, _, _ = masks_shape[0]
        height = None if height is None else 2 * height
        width = None if width is None else 2 * width
        return batch, height, width, self.widths[0]

    def get_config(self) -> Config:
        return super().get_config() | {
            "widths": self.widths,
            "num_convs": self.num_convs,
            "normalization": self.normalization,
        }
