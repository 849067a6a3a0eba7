"""A coarse grid of patches on which features and maps of an image meet."""

import math

from keras import ops

from jtr_keras.types import Tensor


class PatchGrid:
    """Square patches that lie wholly within the image, from the top left on.

    Features may be those of an image padded at the bottom and right; they are
    taken to be a power of two smaller than it.

    Args:
        image_size: Height and width of the image.
        feature_size: Height and width of its features.
        stride: int. Side of a patch in pixels of the image; a power of two.
            It is larger where the features are coarser.

    Raises:
        ValueError: If the image is smaller than a patch.
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        feature_size: tuple[int, int],
        stride: int,
    ) -> None:
        self.ratio = feature_ratio(image_size, feature_size)
        self.side = max(stride, self.ratio)
        self.rows, self.columns = (size // self.side for size in image_size)
        if not self.rows or not self.columns:
            raise ValueError(
                f"Images must have at least {self.side} pixels in height and "
                f"width, a patch of `stride`; got {image_size}."
            )

    def means(self, maps: Tensor) -> Tensor:
        """Means over the patches of `(batch, height, width, channels)`."""
        return self._means(maps, self.side)

    def feature_means(self, features: Tensor) -> Tensor:
        """The same of features."""
        return self._means(features, self.side // self.ratio)

    def _means(self, maps: Tensor, side: int) -> Tensor:
        maps = maps[:, : self.rows * side, : self.columns * side]
        shape = (-1, self.rows, side, self.columns, side, maps.shape[-1])
        return ops.mean(ops.reshape(maps, shape), axis=(2, 4))


def feature_ratio(
    image_size: tuple[int, int], feature_size: tuple[int, int]
) -> int:
    """How much coarser features are than the image, a power of two.

    Args:
        image_size: Height and width of the image.
        feature_size: Height and width of its features, which may be those of
            the image padded at the bottom and right.

    Returns:
        The smallest power of two by which the features cover the image.
    """
    pairs = zip(image_size, feature_size, strict=True)
    least = max(math.ceil(image / feature) for image, feature in pairs)
    return 2 ** math.ceil(math.log2(least))
