"""A network's average over the past steps, which predicts too."""

from typing import Any

import keras
from keras import ops

from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class Teacher(keras.layers.Layer):
    """Exponential moving averages of a network's trainable weights.

    There is no copy of the network: it is called with the averages in place of
    its own weights, as in training: its batch normalisations use the statistics
    of the batch, and do not update their own.

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
        self.averages = [
            self._average(
                v.shape, f"average_{i}", lambda *_, v=v, **__: v.value
            )
            for i, v in enumerate(network.trainable_variables)
        ]
        self.built = True

    def update(self, network: keras.Model) -> None:
        """Moves the averages towards the weights; once a training step."""
        steps = ops.convert_to_tensor(self.steps)
        momentum = ops.minimum(self.momentum, (1.0 + steps) / (10.0 + steps))
        self.steps.assign_add(1.0)
        pairs = zip(self.averages, network.trainable_variables, strict=True)
        for average, variable in pairs:
            difference = ops.cast(variable, average.dtype) - average
            average.assign_add((1.0 - momentum) * difference)

    def predict(self, network: keras.Model, images: Tensor) -> Any:
        """What the averaged network returns; no gradient reaches anything."""
        outputs, _ = network.stateless_call(
            [average.value for average in self.averages],
            [v.value for v in network.non_trainable_variables],
            images,
            training=True,
        )
        return keras.tree.map_structure(ops.stop_gradient, outputs)

    def get_config(self) -> Config:
        return super().get_config() | {"momentum": self.momentum}

    def _average(self, shape: Any, name: str, initializer: Any) -> Any:
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype="float32",
            trainable=False,
            aggregation="mean",
            name=name,
        )
