"""A network of two convolutions a task, for laws that no network changes."""

import keras

import jtr_keras as jtr
from tests import toy


@keras.saving.register_keras_serializable(package="tests")
class Convolution(keras.layers.Conv2D):
    """A backbone for images of any size."""

    size_divisor = 1


def make_model(num_tasks=4, **options):
    """A built model; the same weights at every call."""
    keras.utils.set_random_seed(0)
    backbone = Convolution(4, 3, padding="same", activation="relu")
    tasks = toy.make_tasks()[:num_tasks]
    return jtr.MultiTaskModel(backbone, tasks, head_filters=2, **options)
