"""Pure functions of tensors."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.ops.colour import colour_map, palette
from jtr_keras.ops.freezing import call_frozen
from jtr_keras.ops.masking import image_mean, masked_mean, masked_sum
from jtr_keras.ops.noise import gumbel_noise
from jtr_keras.ops.padding import crop_to, pad_to_multiple
from jtr_keras.ops.precision import full_precision, loss_dtype
from jtr_keras.ops.resampling import UNMOVED, resample
from jtr_keras.ops.resizing import (
    resample_area,
    resize_to,
    to_power_of_two,
)
from jtr_keras.ops.similarity import cosine_distance, unit_vectors
from jtr_keras.ops.views import first_views, view

__all__ = [
    "UNMOVED",
    "call_frozen",
    "colour_map",
    "cosine_distance",
    "crop_to",
    "first_views",
    "full_precision",
    "gumbel_noise",
    "image_mean",
    "loss_dtype",
    "masked_mean",
    "masked_sum",
    "pad_to_multiple",
    "palette",
    "resample",
    "resample_area",
    "resize_to",
    "to_power_of_two",
    "unit_vectors",
    "view",
]
