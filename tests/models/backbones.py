"""Small backbones for tests."""

import keras


def pyramid_backbone():
    """Three convolutions, each halving the size: a functional model."""
    inputs = outputs = keras.Input((None, None, 3))
    for name, filters in (("first", 4), ("second", 5), ("third", 6)):
        outputs = keras.layers.Conv2D(
            filters, 2, strides=2, padding="same", name=name
        )(outputs)
    return keras.Model(inputs, outputs)
