"""Running means of losses by name."""

from collections.abc import Iterable, Mapping

import keras

from jtr_keras.types import Tensor, TensorDict

Means = dict[str, keras.metrics.Mean]


def means(names: Iterable[str]) -> Means:
    """A mean of each name."""
    return {name: keras.metrics.Mean(name=name) for name in names}


def track(
    trackers: Means, values: Mapping[str, Tensor], count: Tensor = 1
) -> TensorDict:
    """Adds values that count so much to their means; returns all so far."""
    for name, value in values.items():
        trackers[name].update_state(value, sample_weight=count)
    return {name: tracker.result() for name, tracker in trackers.items()}
