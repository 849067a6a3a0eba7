"""Running means of losses by name."""

from collections.abc import Iterable, Mapping

import keras

from jtr_keras.types import Tensor, TensorDict

Means = dict[str, keras.metrics.Mean]


def means(names: Iterable[str]) -> Means:
    """A mean of each name."""
    return {name: keras.metrics.Mean(name=name) for name in names}


def track(
    trackers: Means, values: Mapping[str, Tensor], images: Tensor
) -> TensorDict:
    """Adds means over so many images to those of all; returns the latter."""
    for name, value in values.items():
        trackers[name].update_state(value, sample_weight=images)
    return {name: tracker.result() for name, tracker in trackers.items()}
