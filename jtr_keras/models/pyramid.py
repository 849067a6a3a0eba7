"""Any Keras backbone as a pyramid of feature maps."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from jtr_keras.types import Config, Shape, Tensor, require_instance

PROBE = 128
"""Images of about this size are traced to find the strides of a backbone."""
MAX_PREFIX = 8
"""Most tokens of a transformer that belong to no patch: class, registers."""


class Level(NamedTuple):
    """One result of a backbone.

    Args:
        position: Its place among the results.
        stride: How much coarser it is than the images.
        channels: Its channels.
        prefix: How many tokens come before those of patches; None for maps.
    """

    position: int
    stride: int
    channels: int
    prefix: int | None = None


@keras.saving.register_keras_serializable(package="jtr_keras")
class Pyramid(keras.layers.Layer):
    """Calls a backbone and returns its maps, whatever it is.

    Backbones of keras-hub (`pyramid_outputs`) and keras-cv
    (`pyramid_level_inputs`) give every level; any other gives what it returns:
    a map, or a list or dict of them in any order. The tokens of a transformer,
    `(batch, tokens, channels)`, become a map: those of its patches are taken to
    be the last ones, row by row.

    An encoder-decoder may have a method `pyramid`, called like itself, that
    returns the maps of its decoder; its attributes `stages` and `decode` are
    then those of this layer. `jtr_keras.models.UNet` is such a one.

    Args:
        backbone: A Keras model or layer from images
            `(batch, height, width, 3)` to features.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`, both sizes
            divisible by `size_divisor`.
        training: Whether batch statistics are used and updated.

    Returns:
        List of maps from the finest to the coarsest, each of shape
        `(batch, height / stride, width / stride, channels)`.

    Raises:
        ValueError: If `backbone` is not a Keras layer or returns no features;
            `stages`, if it cannot be run step by step.

    Example:

    >>> pyramid = jtr_keras.models.Pyramid(jtr_keras.models.UNet((4, 8, 8)))
    >>> pyramid.strides, pyramid.channels
    ((1, 2, 4), (4, 8, 8))
    """

    def __init__(self, backbone: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_instance(
            "backbone",
            backbone,
            keras.layers.Layer,
            "a Keras layer or model, such as `jtr_keras.models.SegNet()`",
        )
        self.backbone = backbone
        self.size_divisor = getattr(backbone, "size_divisor", 32)
        self.network = _with_all_levels(backbone)
        self.decoded = hasattr(backbone, "pyramid")
        # Builds it for images of any size. By its own call: only that makes
        # all its weights, whatever `pyramid` and `stages` use of them.
        output_spec(backbone, (None, None, None, 3))
        size = _fixed_size(backbone) or self._probe_size()
        spec = output_spec(self._outputs, (None, *size, 3))
        shapes = [tuple(x.shape) for x in spec]
        levels = [_level(i, s, size) for i, s in enumerate(shapes)]
        self.levels = tuple(sorted(levels, key=lambda level: level.stride))
        self.built = True

    @property
    def strides(self) -> tuple[int, ...]:
        """How much coarser each map is than the images."""
        return tuple(level.stride for level in self.levels)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each map."""
        return tuple(level.channels for level in self.levels)

    def call(
        self, images: Tensor, training: bool | None = None
    ) -> list[Tensor]:
        outputs = self._outputs(images, training)
        return [
            _as_map(outputs[level.position], level, images)
            for level in self.levels
        ]

    @functools.cached_property
    def stages(self) -> list[Callable[..., Tensor]]:
        """The backbone step by step, for those who change it on the way.

        The first one takes images, each other one the result of the one before;
        all take `training`, too. `decode` of all results is the pyramid.
        """
        if self.decoded:
            stages: Any = getattr(self.backbone, "stages", None)
        else:
            stages = _functional_stages(self.network, self.levels)
        if stages is None:
            raise ValueError(
                f"`backbone` cannot be run stage by stage: "
                f"{type(self.backbone).__name__} has no `stages` and is no "
                "functional model whose maps each depend on the one before "
                "alone. Use `jtr_keras.models.UNet()` or `SegNet()`, or a "
                "functional encoder that returns several maps."
            )
        return list(stages)

    def decode(
        self, maps: Sequence[Tensor], training: bool | None = None
    ) -> list[Tensor]:
        """From the results of all `stages` to what a call returns."""
        if self.decoded:
            return list(self.backbone.decode(maps, training))
        return list(maps)

    def get_config(self) -> Config:
        backbone = keras.saving.serialize_keras_object(self.backbone)
        return super().get_config() | {"backbone": backbone}

    @classmethod
    def from_config(cls, config: Config) -> "Pyramid":
        return cls(**keras.saving.deserialize_keras_object(config))

    def _outputs(
        self, images: Tensor, training: bool | None = None
    ) -> list[Tensor]:
        if self.decoded:
            return list(self.backbone.pyramid(images, training=training))
        outputs = self.network(images, training=training)
        return list(keras.tree.flatten(outputs))

    def _probe_size(self) -> tuple[int, int]:
        side = self.size_divisor * math.ceil(PROBE / self.size_divisor)
        return (side, side)


def output_spec(function: Callable[[Tensor], Any], shape: Shape) -> Any:
    """What a function returns for a tensor of a shape, without computing it.

    Layers that it calls are built on the way.

    Args:
        function: From a tensor to any structure of tensors.
        shape: The tensor's shape; `None` where any size will do.

    Returns:
        The same structure of `keras.KerasTensor`.
    """

    errors = []

    class Probe(keras.layers.Layer):
        def call(self, inputs: Tensor) -> Any:
            try:
                return function(inputs)
            except Exception as error:
                errors.append(error)
                raise

    try:
        return Probe().compute_output_spec(keras.KerasTensor(shape))
    except Exception:
        if errors:  # Keras would tell of this layer, which nobody knows.
            raise errors[0] from None
        raise


def _with_all_levels(backbone: Any) -> keras.layers.Layer:
    """What to call for all levels of a backbone."""
    levels = getattr(backbone, "pyramid_outputs", None)
    if levels:
        return keras.Model(backbone.inputs, list(levels.values()))
    names = getattr(backbone, "pyramid_level_inputs", None)
    if names:
        layers = [backbone.get_layer(name) for name in names.values()]
        return keras.Model(backbone.inputs, [x.output for x in layers])
    return backbone


def _fixed_size(backbone: Any) -> tuple[int, int] | None:
    """The only size of images that a functional model takes, if any."""
    inputs = getattr(backbone, "inputs", None)
    size = tuple(inputs[0].shape[1:3]) if inputs else (None,)
    return None if None in size else size


def _level(index: int, shape: Any, size: tuple[int, int]) -> Level:
    height, width = size
    if len(shape) not in (3, 4) or None in shape[1:]:
        raise ValueError(
            "`backbone` must return features (batch, height, width, channels) "
            "or tokens (batch, tokens, channels), of a known size where that "
            f"of images is known; got {shape} for {height}x{width} pixels."
        )
    if len(shape) == 4:
        if shape[1] > height:
            raise ValueError(
                "`backbone` must return maps no finer than the images; got "
                f"{shape} for {height}x{width} pixels."
            )
        return Level(index, round(height / shape[1]), shape[3])
    _, tokens, channels = shape
    for prefix in range(MAX_PREFIX + 1):
        for stride in range(1, min(height, width) + 1):
            whole = height % stride == width % stride == 0
            cells = (height // stride) * (width // stride)
            if whole and cells + prefix == tokens:
                return Level(index, stride, channels, prefix)
    raise ValueError(
        f"`backbone` returns {tokens} tokens for an image of {height}x{width} "
        "pixels, which are no patches of one size and up to "
        f"{MAX_PREFIX} tokens before them."
    )


def _as_map(features: Tensor, level: Level, images: Tensor) -> Tensor:
    if level.prefix is None:
        return features
    _, height, width, _ = ops.shape(images)
    rows, columns = height // level.stride, width // level.stride
    shape = (-1, rows, columns, level.channels)
    return ops.reshape(features[:, level.prefix :], shape)


def _functional_stages(
    network: Any, levels: Sequence[Level]
) -> list[keras.Model] | None:
    """Models from each level of a functional model to the next one."""
    outputs = getattr(network, "outputs", None)
    if not outputs or any(level.prefix is not None for level in levels):
        return None
    ends = [outputs[level.position] for level in levels]
    starts = [network.inputs[0], *ends[:-1]]
    try:
        return [
            keras.Model(start, end)
            for start, end in zip(starts, ends, strict=True)
        ]
    except ValueError:  # A level depends on more than the one before.
        return None
