"""Views of an image and of its annotations, once they are sampled."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from jtr_keras.data.augmentation.photometric import photometric
from jtr_keras.ops.resampling import UNMOVED
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


class Window:
    """A window of relative size `1 / zoom` at a random place.

    Args:
        size: `(height, width)` of the image.
        zoom: Scalar, at least 1; the window is the image's size over it,
            rounded down.
        place: `(2,)`, in `[0, 1)`: where among all possible places, top and
            left, the window is.

    Reference:
        - [Liu et al., 2019](https://arxiv.org/abs/1803.10704), code
    """

    def __init__(
        self, size: tuple[int, int], zoom: Tensor, place: Tensor
    ) -> None:
        self.size = size
        self.zoom = zoom
        full = tf.cast(size, tf.float32)
        # Float32 rounds 96 / 1.2 to just below 80.
        self.window = tf.floor(full / zoom + 1e-3)
        self.corner = tf.floor(place * (full - self.window + 1.0))

    def nearest(self, values: Tensor) -> Tensor:
        """Same shape; each pixel is that at `floor(place / zoom)`."""
        for axis in (0, 1):
            steps = tf.range(self.size[axis], dtype=tf.float32)
            ratio = self.window[axis] / self.size[axis]
            # The small number keeps exact multiples from rounding down.
            offset = tf.floor(steps * ratio + 1e-4)
            index = tf.cast(self.corner[axis] + offset, tf.int32)
            values = tf.gather(values, index, axis=axis)
        return values

    def bilinear(self, values: Tensor) -> Tensor:
        """`(height, width, channels)`, the corners' pixels on the corners."""
        for axis in (0, 1):
            last = self.window[axis] - 1.0
            steps = tf.linspace(0.0, last, self.size[axis])
            low = tf.minimum(tf.floor(steps), last)
            high = tf.minimum(low + 1.0, last)
            weight = tf.reshape(
                steps - low, (-1, 1, 1) if axis == 0 else (-1, 1)
            )
            below, above = (
                tf.gather(
                    values, tf.cast(self.corner[axis] + x, tf.int32), axis=axis
                )
                for x in (low, high)
            )
            values = below + (above - below) * weight
        return values

    def target(self, values: Tensor, task: Task) -> Tensor:
        """An annotation in the window, rescaled to its zoom.

        Void pixels have no part in interpolation, and what is nearest to a
        void pixel is void.
        """
        # The mask is of Keras's default float, the annotation of the task's.
        mask = tf.cast(task.valid_mask(values[None])[0], tf.float32)
        valid = self.nearest(mask) > 0
        if task.interpolation == "nearest":
            sampled = self.nearest(values)
        else:
            total = self.bilinear(task.zero_void(values[None])[0] * mask)
            weight = tf.maximum(self.bilinear(mask), 1e-6)
            sampled = task.codec.project(total / weight)
        sampled = task.rescale(sampled, self.zoom)
        void = tf.constant(task.void, sampled.dtype)
        return tf.where(valid, sampled, void)


@dataclasses.dataclass(frozen=True)
class Warp:
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
        """An image `(height, width, 3)`, warped."""
        flipped = tf.reverse(image, [1])
        return self.window.bilinear(tf.where(self.mirrored, flipped, image))

    def target(self, target: Tensor, task: Task) -> Tensor:
        """An annotation `(height, width, channels)`, warped as the image is."""
        flipped = task.flip(tf.reverse(target, [1]))
        return self.window.target(
            tf.where(self.mirrored, flipped, target), task
        )


@dataclasses.dataclass(frozen=True)
class Views:
    """The first view is made from the image, the others from the first.

    Args:
        warps: For each view, what is done to what it is made from.
        colours: For each view a list of random numbers, `(3,)`, one for each
            change of its colours.
    """

    warps: Sequence[Warp]
    colours: Sequence[Sequence[Tensor]]

    @property
    def geometry(self) -> Tensor:
        """How each view was made from the first, `(views, 4)`."""
        further = [warp.geometry for warp in self.warps[1:]]
        return tf.stack([tf.constant(UNMOVED), *further])

    def images(self, image: Tensor) -> Tensor:
        """`(views, height, width, 3)`."""
        first = self.warps[0].image(image)
        views = [first, *(warp.image(first) for warp in self.warps[1:])]
        for index, numbers in enumerate(self.colours):
            for uniform in numbers:
                views[index] = photometric(views[index], uniform)
        return tf.stack(views)

    def targets(self, target: Tensor, task: Task) -> Tensor:
        """`(views, height, width, channels)`."""
        first = self.warps[0].target(target, task)
        further = [warp.target(first, task) for warp in self.warps[1:]]
        return tf.stack([first, *further])
