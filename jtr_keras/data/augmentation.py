"""Random views of an image and all of its annotations."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from jtr_keras.data.photometric import photometric
from jtr_keras.data.resampling import Window
from jtr_keras.ops.resampling import UNMOVED
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How views are drawn: mirror, cut and enlarge, change colours.

    The first view is drawn from the image, the others from the first, before
    its colours change. Annotations follow the geometry: depths shrink by the
    zoom, normals turn.

    Args:
        zooms: One is drawn for each view, all equally likely.
        flip: Probability of mirroring left to right.
        num_photometric: Operations on colour for each view, drawn from nine
            with replacement.
        further_zooms: The zooms of all views but the first; None for `zooms`.
            Above 1, they make depths of later views smaller on average, so
            that a network that is to predict the same for both shrinks them.

    Raises:
        ValueError: If a zoom is below 1 or `flip` is not a probability.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), code
    """

    zooms: Sequence[float] = (1.0, 1.2, 1.5)
    flip: float = 0.5
    num_photometric: int = 2
    further_zooms: Sequence[float] | None = None

    def __post_init__(self) -> None:
        for name in ("zooms", "further_zooms"):
            zooms = getattr(self, name)
            if zooms is not None and (not zooms or min(zooms) < 1):
                raise ValueError(f"`{name}` must be >= 1; got {zooms}.")
        if not 0 <= self.flip <= 1:
            raise ValueError(f"`flip` must be in [0, 1]; got {self.flip}.")

    def views(
        self,
        image: Tensor,
        targets: TensorDict,
        tasks: Sequence[Task],
        num_views: int,
        seed: Tensor,
    ) -> tuple[Tensor, TensorDict, Tensor]:
        """Random views of one image.

        Args:
            image: float32 tensor of shape `(height, width, 3)` in `[0, 1]`.
            targets: Dict of annotations, `(height, width, channels)`.
            tasks: The tasks of the annotations.
            num_views: int. How many views.
            seed: `(2,)`, integers.

        Returns:
            Images `(num_views, height, width, 3)`, the dict of annotations
            `(num_views, height, width, channels)`, and each view's geometry
            with respect to the first, `(num_views, 4)`, as
            `jtr_keras.ops.resample` takes it.
        """
        size = (num_views, 4 + 3 * self.num_photometric)
        uniform = tf.unstack(tf.random.stateless_uniform(size, seed))
        further = (
            self.zooms if self.further_zooms is None else self.further_zooms
        )
        first = self._move(image, targets, tasks, self.zooms, uniform[0])
        views = [
            (*first[:2], tf.constant(UNMOVED)),
            *(
                self._move(*first[:2], tasks, further, row)
                for row in uniform[1:]
            ),
        ]
        images = [
            self._colours(view[0], row[4:])
            for view, row in zip(views, uniform, strict=True)
        ]
        stacked = {
            name: tf.stack([view[1][name] for view in views])
            for name in targets
        }
        return tf.stack(images), stacked, tf.stack([v[2] for v in views])

    def _move(
        self,
        image: Tensor,
        targets: TensorDict,
        tasks: Sequence[Task],
        zooms: Sequence[float],
        uniform: Tensor,
    ) -> tuple[Tensor, TensorDict, Tensor]:
        mirrored = uniform[0] < self.flip
        index = tf.cast(uniform[1] * len(zooms), tf.int32)
        height, width, _ = image.shape
        zoom = tf.gather(tf.constant(zooms, tf.float32), index)
        window = Window((height, width), zoom, uniform[2:4])
        moved = {}
        for task in tasks:
            target = targets[task.name]
            flipped = task.flip(tf.reverse(target, [1]))
            target = tf.where(mirrored, flipped, target)
            moved[task.name] = window.target(target, task)
        image = tf.where(mirrored, tf.reverse(image, [1]), image)
        geometry = (
            tf.cast(mirrored, zoom.dtype),
            zoom,
            *tf.unstack(window.corner),
        )
        return window.bilinear(image), moved, tf.stack(geometry)

    def _colours(self, image: Tensor, uniform: Tensor) -> Tensor:
        for index in range(self.num_photometric):
            image = photometric(image, uniform[3 * index : 3 * index + 3])
        return image


UNCHANGED = Augmentation(zooms=(1.0,), flip=0.0, num_photometric=0)
"""No change: every view is the image as it is."""
