"""A step that is traced anew where the data gain or lose an axis."""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf


class TracedStep:
    """One of Keras's step functions for each number of axes and of views.

    Keras's own, meeting images with and without the axis of views, would be
    traced for images of which it knows neither.

    Args:
        make: Makes a function like those of Keras, from an iterator over
            batches to logs.
    """

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self.make = make
        self.functions: dict[Any, Callable[[Any], Any]] = {}

    def __call__(self, iterator: Iterator[Any]) -> Any:
        data = getattr(iterator, "element_spec", None)
        if data is None:  # `train_on_batch` gives a generator.
            data = list(iterator)
            iterator = iter(data)
        tensors = tf.nest.flatten(data, expand_composites=True)
        axes = tuple(_axes(t.shape) for t in tensors if hasattr(t, "shape"))
        if axes not in self.functions:
            self.functions[axes] = self.make()
        return self.functions[axes](iterator)


def _axes(shape: Any) -> tuple[int | None, ...]:
    """Rank, and number of views where there is an axis of them."""
    shape = tf.TensorShape(shape)
    return (None,) if shape.rank is None else (shape.rank, *shape[1:-3])
