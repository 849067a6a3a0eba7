"""Feature maps from any Keras backbone."""

import keras

from jtr_keras.types import require_instance


def feature_extractor(backbone: keras.layers.Layer) -> keras.layers.Layer:
    """What to call for the backbone's feature maps.

    Args:
        backbone: A Keras model or layer from images
            `(batch, height, width, 3)` to features. Models with
            `pyramid_outputs` (keras-hub) or `pyramid_level_inputs` (keras-cv)
            give every level; any other gives what it returns.

    Returns:
        A layer or model that returns one feature map, or a list of them from
        the finest to the coarsest.

    Raises:
        ValueError: If `backbone` is not a Keras layer.
    """
    require_instance(
        "backbone",
        backbone,
        keras.layers.Layer,
        "a Keras layer or model, such as `jtr_keras.models.SegNet()`",
    )
    levels = getattr(backbone, "pyramid_outputs", None)
    if levels:
        outputs = [levels[name] for name in sorted(levels)]
        return keras.Model(backbone.inputs, outputs)
    names = getattr(backbone, "pyramid_level_inputs", None)
    if names:
        layers = [backbone.get_layer(names[key]) for key in sorted(names)]
        return keras.Model(backbone.inputs, [x.output for x in layers])
    return backbone
