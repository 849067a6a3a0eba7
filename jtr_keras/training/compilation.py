"""How the training step is compiled; the one place where that is chosen."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf
from absl import logging


def choose_compilation(
    strategy: tf.distribute.Strategy,
    jit_compile: str | bool = "auto",
    steps_per_execution: int = 1,
) -> bool:
    """Whether Keras is to compile the whole step with XLA.

    One replica: yes. With several, Keras cannot compile the step, but XLA's
    auto-clustering of the graph works; it is switched on, or off, for the
    process, whose last call decides.

    Args:
        strategy: The distribution strategy of the model.
        jit_compile: `"auto"`, or whether to use XLA at all.
        steps_per_execution: As given to `compile`.

    Returns:
        What to pass to Keras as `jit_compile`.

    Raises:
        ValueError: If `steps_per_execution > 1` with several replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        jit = bool(jit_compile)  # "auto" is true.
        logging.info("One replica: XLA %s.", "on" if jit else "off")
        return jit
    if steps_per_execution > 1:
        raise ValueError(
            "`steps_per_execution` must be 1 with several replicas (Keras "
            f"fails otherwise); got {steps_per_execution} with {replicas}."
        )
    tf.config.optimizer.set_jit("autoclustering" if jit_compile else False)
    logging.info(
        "%d replicas: XLA auto-clustering %s.",
        replicas,
        "on" if jit_compile else "off",
    )
    return False


def refuse_losses(arguments: Mapping[str, Any]) -> None:
    """ValueError if `compile` was given losses or metrics of Keras.

    Args:
        arguments: Those that `compile` hands on to Keras.
    """
    names = ("loss", "loss_weights", "metrics", "weighted_metrics")
    given = [name for name in names if arguments.get(name) is not None]
    if given:
        raise ValueError(
            "`compile` takes no losses and no metrics: these come from the "
            "tasks, and weights of the tasks' losses from `MultiTaskModel("
            "balancing=jtr_keras.balancing.FixedWeights(...))`; got "
            f"{', '.join(f'`{name}`' for name in given)}."
        )


def synchronize_batch_statistics(model: keras.Model) -> None:
    """Makes every batch normalisation see the batches of all replicas.

    Without it the moving statistics of replicas diverge, and what is exported
    differs from what was evaluated.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


class TracedStep:
    """One of Keras's step functions for each number of axes and of views.

    A single one, meeting images with and without the axis of views, would be
    traced for images of which it knows neither.

    Args:
        model: Has the attribute that Keras calls.
        name: Its name, `"train_function"` or `"test_function"`.
        make: Keras's own method that sets it, to a function from an iterator
            over batches to logs.
    """

    def __init__(
        self, model: Any, name: str, make: Callable[..., None]
    ) -> None:
        self.model = model
        self.name = name
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
            self.make(force=True)
            self.functions[axes] = getattr(self.model, self.name)
            setattr(self.model, self.name, self)
        return self.functions[axes](iterator)


def _axes(shape: Any) -> tuple[int | None, ...]:
    """Rank, and number of views where there is an axis of them."""
    shape = tf.TensorShape(shape)
    return (None,) if shape.rank is None else (shape.rank, *shape[1:-3])
