"""No exchange: all heads see the same features."""

from typing import Any

import keras

from jtr_keras.interaction.interaction import Features, Interaction
from jtr_keras.layers.pyramid_fusion import PyramidFusion
from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class SharedFeatures(Interaction):
    """All heads see one map: the finest, with what coarser ones add to it.

    A pyramid is fused from the coarsest map on, unless it comes from a decoder,
    or has one map alone.

    Args:
        filters: int. Channels of a fused pyramid.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: List of maps from the finest to the coarsest.
        training: Whether batch statistics are used and updated.

    Returns:
        `Features` with the same map for every task.

    Reference:
        - [Lin et al., 2017](https://arxiv.org/abs/1612.03144)
    """

    def __init__(self, filters: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.fusion: PyramidFusion | None = None

    def build_for_tasks(self) -> None:
        if len(self.channels) > 1 and not self.decoded:
            self.fusion = PyramidFusion(self.filters, dtype=self.dtype_policy)

    def call(
        self, inputs: list[Tensor], training: bool | None = None
    ) -> Features:
        shared = inputs[0]
        if self.fusion is not None:
            shared = self.fusion(inputs, training=training)
        return Features({task.name: shared for task in self.tasks}, shared)

    def get_config(self) -> Config:
        return super().get_config() | {"filters": self.filters}
