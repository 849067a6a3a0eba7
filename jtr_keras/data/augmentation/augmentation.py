"""How views of an image and of its annotations are sampled."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from jtr_keras.data.augmentation.views import Views, Warp, Window
from jtr_keras.types import Tensor


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How views are sampled: mirror, cut and enlarge, change colours.

    The first view is made from the image, the others from the first, before
    its colours change. Annotations follow the geometry: depths shrink by the
    zoom, normals turn.

    Args:
        zooms: One is chosen for each view, all equally likely.
        flip: Probability of mirroring left to right.
        num_photometric: Operations on colour for each view, sampled from nine
            with replacement.
        further_zooms: The zooms of all views but the first; None for `zooms`.
            Zooms above 1 make depths of later views smaller on average; a
            network that is to predict the same for all views learns to make
            them too small.

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

    def sample_views(
        self, size: tuple[int, int], num_views: int, seed: Tensor
    ) -> Views:
        """Random views of one image.

        Args:
            size: Height and width of the image.
            num_views: int. How many views.
            seed: `(2,)`, integers.

        Returns:
            What to apply to the image and to its annotations.
        """
        shape = (num_views, 4 + 3 * self.num_photometric)
        rows = tf.unstack(tf.random.stateless_uniform(shape, seed))
        further = (
            self.zooms if self.further_zooms is None else self.further_zooms
        )
        zooms = [self.zooms] + (num_views - 1) * [further]
        return Views(
            [self._warp(size, *each) for each in zip(zooms, rows, strict=True)],
            [tf.unstack(tf.reshape(row[4:], (-1, 3))) for row in rows],
        )

    def _warp(
        self, size: tuple[int, int], zooms: Sequence[float], uniform: Tensor
    ) -> Warp:
        index = tf.cast(uniform[1] * len(zooms), tf.int32)
        zoom = tf.gather(tf.constant(zooms, tf.float32), index)
        return Warp(uniform[0] < self.flip, Window(size, zoom, uniform[2:4]))


UNCHANGED = Augmentation(zooms=(1.0,), flip=0.0, num_photometric=0)
"""No change: every view is the image as it is."""
