"""Views of an image and of its annotations, once they are drawn."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from jtr_keras.data.photometric import photometric
from jtr_keras.data.resampling import Window
from jtr_keras.ops.resampling import UNMOVED
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


@dataclasses.dataclass(frozen=True)
class Move:
    """Mirroring, then a window that is enlarged.

    Args:
        mirrored: Scalar, whether left and right change places.
        window: The window.
    """

    mirrored: Tensor
    window: Window

    @property
    def geometry(self) -> Tensor:
        """`(4,)`, as `jtr_keras.ops.resample` takes it."""
        zoom = self.window.zoom
        mirrored = tf.cast(self.mirrored, zoom.dtype)
        return tf.stack([mirrored, zoom, *tf.unstack(self.window.corner)])

    def image(self, image: Tensor) -> Tensor:
        """An image `(height, width, 3)`, moved."""
        flipped = tf.reverse(image, [1])
        return self.window.bilinear(tf.where(self.mirrored, flipped, image))

    def target(self, target: Tensor, task: Task) -> Tensor:
        """An annotation `(height, width, channels)`, moved with the image."""
        flipped = task.flip(tf.reverse(target, [1]))
        return self.window.target(
            tf.where(self.mirrored, flipped, target), task
        )


@dataclasses.dataclass(frozen=True)
class Views:
    """The first view is made from the image, the others from the first.

    Args:
        moves: What is done to each view.
        colours: For each view a list of random numbers, `(3,)`, one for each
            change of its colours.
    """

    moves: Sequence[Move]
    colours: Sequence[Sequence[Tensor]]

    @property
    def geometry(self) -> Tensor:
        """How each view was made from the first, `(views, 4)`."""
        further = [move.geometry for move in self.moves[1:]]
        return tf.stack([tf.constant(UNMOVED), *further])

    def images(self, image: Tensor) -> Tensor:
        """`(views, height, width, 3)`."""
        first = self.moves[0].image(image)
        views = [first, *(move.image(first) for move in self.moves[1:])]
        for index, numbers in enumerate(self.colours):
            for uniform in numbers:
                views[index] = photometric(views[index], uniform)
        return tf.stack(views)

    def targets(self, target: Tensor, task: Task) -> Tensor:
        """`(views, height, width, channels)`."""
        first = self.moves[0].target(target, task)
        further = [move.target(first, task) for move in self.moves[1:]]
        return tf.stack([first, *further])
