"""The normalisations that the blocks of this library choose from."""

from collections.abc import Callable
from typing import Any

import keras

EPSILON = 1e-5
"""PyTorch's default, with which the published networks were trained."""


def batch_normalization(**kwargs: Any) -> keras.layers.Layer:
    """Batch normalisation with PyTorch's defaults."""
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=EPSILON, **kwargs
    )


def instance_normalization(**kwargs: Any) -> keras.layers.Layer:
    """Each image and channel by its own mean and variance; no state."""
    return keras.layers.GroupNormalization(groups=-1, epsilon=EPSILON, **kwargs)


NORMALIZATIONS: dict[str, Callable[..., keras.layers.Layer]] = {
    "batch": batch_normalization,
    "instance": instance_normalization,
}


def make_normalization(name: str, **kwargs: Any) -> keras.layers.Layer:
    """A new normalisation layer by its name in `NORMALIZATIONS`."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {sorted(NORMALIZATIONS)}; "
            f"got {name!r}."
        )
    return NORMALIZATIONS[name](**kwargs)
