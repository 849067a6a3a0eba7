"""Keras layers that know no task."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.layers.dense_head import DenseHead
from jtr_keras.layers.film import FiLM
from jtr_keras.layers.pyramid_fusion import PyramidFusion
from jtr_keras.layers.segnet import (
    IndexedPooling,
    IndexedUnpooling,
    SegNetDecoder,
    SegNetEncoder,
)

__all__ = [
    "ConvBlock",
    "DenseHead",
    "FiLM",
    "IndexedPooling",
    "IndexedUnpooling",
    "PyramidFusion",
    "SegNetDecoder",
    "SegNetEncoder",
]
