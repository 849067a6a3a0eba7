"""Aggregations for tests that combine the gradients of single tasks."""

import keras
from keras import ops

from jtr_keras.aggregation import Aggregation


@keras.saving.register_keras_serializable(package="tests")
class PerTaskSum(Aggregation):
    """What `SumOfGradients` makes, the long way; keeps what it saw."""

    def build_for_tasks(self):
        count = len(self.task_names)
        self.counts = self.add_state("counts", (count,))
        self.norms = self.add_state("norms", (count,))

    def combine(self, gradients, present):
        self.counts.assign_add(present)
        seen = ops.sqrt(ops.sum(gradients**2, axis=1))
        self.norms.assign(ops.where(present > 0, seen, self.norms))
        return ops.sum(gradients, axis=0)


@keras.saving.register_keras_serializable(package="tests")
class MeanOfDirections(Aggregation):
    """The mean of the present tasks' gradients, each over its running norm."""

    def __init__(self, momentum=0.5, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build_for_tasks(self):
        self.norms = self.add_state("norms", (len(self.task_names),), "ones")

    def combine(self, gradients, present):
        norms = ops.sqrt(ops.sum(gradients**2, axis=1))
        norms = self.momentum * self.norms + (1.0 - self.momentum) * norms
        self.norms.assign(ops.where(present > 0, norms, self.norms))
        weights = present / ops.maximum(ops.sum(present), 1.0) / self.norms
        return ops.sum(weights[:, None] * gradients, axis=0)

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}
