"""Small backbones for tests."""

import keras
from keras import ops


def pyramid_backbone(size=(None, None)):
    """Three convolutions, each halving the size: a functional model."""
    inputs = outputs = keras.Input((*size, 3))
    for name, filters in (("first", 4), ("second", 5), ("third", 6)):
        outputs = keras.layers.Conv2D(
            filters, 2, strides=2, padding="same", name=name
        )(outputs)
    return keras.Model(inputs, outputs)


def outputs_of(backbone, names):
    """The functional model with the outputs of some of its layers."""
    outputs = keras.tree.map_structure(
        lambda name: backbone.get_layer(name).output, names
    )
    return keras.Model(backbone.inputs, outputs)


def residual_backbone():
    """Three residual stages with normalisation: a functional model."""
    features = inputs = keras.Input((None, None, 3))
    maps = []
    for filters in (4, 6, 8):
        shortcut = keras.layers.Conv2D(filters, 1, strides=2)(features)
        features = keras.layers.Conv2D(filters, 3, 2, padding="same")(features)
        features = keras.layers.BatchNormalization()(features)
        features = keras.layers.add([keras.layers.ReLU()(features), shortcut])
        maps.append(features)
    return keras.Model(inputs, maps)


@keras.saving.register_keras_serializable(package="tests")
class Patches(keras.layers.Layer):
    """Tokens of patches of 8x8 pixels, after some that belong to none."""

    size_divisor = 8

    def __init__(self, prefix=0, **kwargs):
        super().__init__(**kwargs)
        self.prefix = prefix
        self.embed = keras.layers.Conv2D(4, 8, strides=8)

    def build(self, input_shape):
        self.embed.build(input_shape)

    def call(self, inputs):
        patches = self.embed(inputs)
        _, rows, columns, channels = ops.shape(patches)
        tokens = ops.reshape(patches, (-1, rows * columns, channels))
        before = ops.zeros_like(tokens[:, :1]) - 7.0
        return ops.concatenate([before] * self.prefix + [tokens], axis=1)

    def get_config(self):
        return super().get_config() | {"prefix": self.prefix}
