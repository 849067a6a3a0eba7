"""Interactions for tests, one of each kind."""

import keras
from keras import ops

from jtr_keras.interaction import Features, Interaction
from jtr_keras.layers import ConvBlock, DenseHead


@keras.saving.register_keras_serializable(package="tests")
class GuidedExchange(Interaction):
    """Features of every task and first predictions made of all others'.

    They are auxiliary predictions, as in PAD-Net.
    """

    auxiliary_weights = {"initial": 0.5}

    def __init__(self, filters=3, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def build_for_tasks(self):
        dtype = self.dtype_policy
        self.own = {
            task.name: ConvBlock(self.filters, dtype=dtype)
            for task in self.tasks
        }
        self.initial = {
            task.name: DenseHead(self.filters, task.channels, dtype=dtype)
            for task in self.tasks
        }

    def call(self, inputs, training=None):
        finest = inputs[0]
        own = {n: f(finest, training=training) for n, f in self.own.items()}
        logits = {name: self.initial[name](f) for name, f in own.items()}
        by_task = {
            name: ops.concatenate(
                [f, *(own[other] for other in own if other != name)], axis=-1
            )
            for name, f in own.items()
        }
        return Features(by_task, finest, {"initial": logits})

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


@keras.saving.register_keras_serializable(package="tests")
class Columns(Interaction):
    """A backbone for every task, mixed after each stage, as in Cross-stitch.

    The first task has the network's own backbone, the others have copies.
    """

    encoder_side = True

    def __init__(self, mixing=0.1, **kwargs):
        super().__init__(**kwargs)
        self.mixing = mixing

    def build_for_backbone(self, backbone):
        count = len(self.tasks)
        self.copies = []
        for _ in range(1, count):
            copy = type(backbone).from_config(backbone.get_config())
            copy.set_weights(backbone.get_weights())
            self.copies.append(copy)
        identity = ops.eye(count) * (1.0 - self.mixing)
        self.mixings = [
            self.add_weight(
                (count, count),
                lambda shape, dtype: ops.cast(
                    identity + self.mixing / count, dtype
                ),
                name=f"mixing_{level}",
            )
            for level, _ in enumerate(backbone.stages)
        ]

    def call(self, inputs, backbone=None, training=None):
        columns = [backbone, *self.copies]
        maps = [inputs] * len(columns)
        results = [[] for _ in columns]
        stages = zip(*(column.stages for column in columns), strict=True)
        for level, mixing in zip(stages, self.mixings, strict=True):
            maps = [
                stage(features, training=training)
                for stage, features in zip(level, maps, strict=True)
            ]
            stacked = ops.stack(maps, axis=-1)
            mixed = ops.matmul(stacked, ops.cast(mixing, stacked.dtype))
            maps = ops.unstack(mixed, axis=-1)
            for result, features in zip(results, maps, strict=True):
                result.append(features)
        finest = [
            column.decode(result, training=training)[0]
            for column, result in zip(columns, results, strict=True)
        ]
        names = [task.name for task in self.tasks]
        by_task = dict(zip(names, finest, strict=True))
        return Features(by_task, sum(finest) / len(finest))

    def get_config(self):
        return super().get_config() | {"mixing": self.mixing}


@keras.saving.register_keras_serializable(package="tests")
class LabelledOnly(Interaction):
    """The same map for all, of which only tasks with a label send gradients."""

    uses_labels = True

    def call(self, inputs, labelled=None, training=None):
        shared = inputs[0]
        by_task = {}
        for task in self.tasks:
            features = shared
            if labelled is not None:
                has = ops.cast(labelled[task.name] > 0, shared.dtype)
                has = ops.reshape(has, (-1, 1, 1, 1))
                features = has * shared + (1 - has) * ops.stop_gradient(shared)
            by_task[task.name] = features
        return Features(by_task, shared)
