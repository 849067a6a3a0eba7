"""A source without files, for the tasks of `tests.toy`."""

import numpy as np
import tensorflow as tf

from jtr_keras.data import Source
from tests import toy


class RandomSource(Source):
    """Random images and annotations, the same ones every time."""

    size = toy.SIZE

    def __init__(self, count):
        self.names = [str(index) for index in range(count)]
        tasks = toy.make_tasks()
        self.channels = {task.name: task.target_channels for task in tasks}
        self.columns = tuple(self.channels)
        images, targets, _ = toy.make_batch(
            np.ones((count, 4)), views=1, geometry=False
        )
        self.arrays = {k: v[:, 0] for k, v in targets.items()}
        self.arrays["image"] = images[:, 0]

    def read(self, index, name):
        return tf.gather(self.arrays[name], index)

    def file(self, index, name):
        return f"{name} {index}"
