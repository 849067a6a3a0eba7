"""A network's average over the past steps, which predicts too."""

from typing import Any

import keras
from keras import ops

from jtr_keras.ops.precision import loss_dtype
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class Teacher(keras.layers.Layer):
    """Exponential moving averages of a network's trainable weights.

    There is no copy of the network: it is called with the averages in place of
    its own weights, as in training: its batch normalisations use the statistics
    of the batch, and do not update their own.

    A weight that is frozen is its own average, from which it goes on once it is
    trained again.

    Args:
        momentum: float. Share of the old average that a step keeps, once
            there were enough steps: after `t` of them it is at most
            `(1 + t) / (10 + t)`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If `momentum` is not in `[0, 1)`.

    Reference:
        - [Tarvainen and Valpola, 2017](https://arxiv.org/abs/1703.01780)
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1); got {momentum}.")
        self.momentum = momentum

    def build_for(self, network: keras.Model) -> None:
        """Creates the averages, equal to the network's weights."""
        self.steps = self._average((), "steps", "zeros")
        # Not those trained now: what is frozen may change, and Keras does not
        # save it of every layer, so that a loaded model would have others.
        ids = {
            id(v)
            for layer in network._flatten_layers()
            for v in layer._trainable_variables
        }
        # Variables as attributes would become weights of this layer.
        self.positions = tuple(
            i for i, v in enumerate(network.weights) if id(v) in ids
        )
        self.averages = [
            self._average(
                v.shape, f"average_{i}", lambda *_, v=v, **__: v.value
            )
            for i, v in enumerate(self._averaged(network))
        ]
        self.built = True

    def update(self, network: keras.Model) -> None:
        """Moves the averages towards the weights; once a training step."""
        steps = ops.convert_to_tensor(self.steps)
        momentum = ops.minimum(self.momentum, (1.0 + steps) / (10.0 + steps))
        self.steps.assign_add(1.0)
        trained = {id(v) for v in network.trainable_variables}
        pairs = zip(self.averages, self._averaged(network), strict=True)
        for average, variable in pairs:
            share = 1.0 - momentum if id(variable) in trained else 1.0
            difference = ops.cast(variable, average.dtype) - average
            average.assign_add(share * difference)

    def predict(self, network: keras.Model, images: Tensor) -> Any:
        """What the averaged network returns; no gradient reaches anything."""
        pairs = zip(self._averaged(network), self.averages, strict=True)
        averages = {id(v): average.value for v, average in pairs}
        outputs, _ = network.stateless_call(
            [averages[id(v)] for v in network.trainable_variables],
            [v.value for v in network.non_trainable_variables],
            images,
            training=True,
        )
        return keras.tree.map_structure(ops.stop_gradient, outputs)

    def get_config(self) -> Config:
        return super().get_config() | {"momentum": self.momentum}

    def _averaged(self, network: keras.Model) -> list[Any]:
        """The weights that have an average, frozen ones included."""
        weights = network.weights
        return [weights[i] for i in self.positions]

    def _average(self, shape: Any, name: str, initializer: Any) -> Any:
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=loss_dtype(),
            trainable=False,
            aggregation="mean",
            name=name,
        )
