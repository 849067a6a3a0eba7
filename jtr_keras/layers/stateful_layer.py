"""State of layers that is no trained weight."""

import abc
from typing import Any

import keras

from jtr_keras.ops.precision import loss_dtype
from jtr_keras.types import Shape


class StatefulLayer(keras.layers.Layer, abc.ABC):
    """Base of layers that count, average or sample noise.

    What they keep is saved with the model, the place in a sequence of random
    numbers included, and is the same on all replicas.
    """

    seed_generator: keras.random.SeedGenerator | None = None
    """Where a layer that samples noise has it from."""

    def require_unbound(self) -> None:
        """ValueError if a model has the layer: its weights would come twice."""
        if self.built:
            raise ValueError(
                f"`{self.name}` belongs to a model already; make a new "
                f"`{type(self).__name__}` for each model."
            )

    def finish_binding(self) -> None:
        """Calls itself built; ValueError if what it consists of is not."""
        self.require_built_parts()
        self.built = True

    def require_built_parts(self) -> None:
        """ValueError if a layer in it has no weights yet.

        Keras would create them at the first call, and a loaded model would
        begin without them.
        """
        unbuilt = [
            layer.name
            for layer in self._flatten_layers(include_self=False)
            # Others have no weights.
            if type(layer).build is not keras.layers.Layer.build
            and not layer.built
        ]
        if unbuilt:
            raise ValueError(
                f"`{type(self).__name__}.build_for_tasks` must build the "
                f"layers that it makes; call `build(input_shape)` of {unbuilt}."
            )

    def add_state(
        self, name: str, shape: Shape, initializer: str = "zeros"
    ) -> Any:
        """A saved variable that is no trained weight.

        It is not cast to half precision, in which counters stop at 2048.
        """
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=loss_dtype(),
            autocast=False,
            trainable=False,
            aggregation="mean",
            name=name,
        )

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        # Keras forgets it: a resumed run would sample the first noise again.
        if self.seed_generator is not None:
            store["seed"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store: Any) -> None:
        own = {name: store[name] for name in store.keys()}  # noqa: SIM118
        if self.seed_generator is not None:
            self.seed_generator.state.assign(own.pop("seed"))
        super().load_own_variables(own)
