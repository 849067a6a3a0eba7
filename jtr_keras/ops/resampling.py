"""Resampling maps of one view of an image as another view shows it."""

from collections.abc import Sequence

from keras import ops

from jtr_keras.types import Tensor

UNMOVED = (0.0, 1.0, 0.0, 0.0)
"""The geometry of a view that is the first one itself."""


def resample(
    maps: Tensor,
    geometry: Tensor,
    stride: int = 1,
    image_size: Sequence[int] | None = None,
) -> Tensor:
    """What another view shows of the first view's maps.

    Mirrors, cuts a window out and enlarges it to the maps' size, bilinearly
    and differentiably, each image in its own way. Equals what
    `jtr_keras.data.Augmentation` does to images.

    Args:
        maps: Tensor of shape `(batch, height, width, channels)`.
        geometry: Tensor of shape `(batch, 4)`: whether mirrored (0 or 1),
            zoom (at least 1), and the window's top and left in pixels of the
            mirrored image.
        stride: int. How much coarser the maps are than the image whose pixels
            the geometry counts: each value is the mean of a patch of so many
            pixels a side.
        image_size: Height and width of the image, whose last rows and columns
            may be too few for a patch. Defaults to those of all patches.

    Returns:
        Tensor of the maps' shape.

    Example:

    >>> maps = tf.reshape([[1.0, 2.0], [3.0, 4.0]], (1, 2, 2, 1))
    >>> mirrored = tf.constant([[1.0, 1.0, 0.0, 0.0]])
    >>> seen = jtr_keras.ops.resample(maps, mirrored)
    >>> seen[0, ..., 0].numpy().tolist()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    sizes = ops.shape(maps)[1:3]
    height, width = image_size or (size * stride for size in sizes)
    mirrored, zoom, top, left = ops.unstack(geometry[:, :, None], 4, axis=1)
    rows = _positions(sizes[0], height, zoom, top, stride)
    columns = _positions(sizes[1], width, zoom, left, stride)
    turned = width / stride - 1.0 - columns
    columns = ops.where(mirrored > 0, turned, columns)
    weights = (
        ops.cast(_weights(positions, size), maps.dtype)
        for positions, size in zip((rows, columns), sizes, strict=True)
    )
    return ops.einsum("bhwc,bih,bjw->bijc", maps, *weights)


def _positions(
    size: int, pixels: int, zoom: Tensor, corner: Tensor, stride: int
) -> Tensor:
    """Where each patch lies among those of the first view, `(batch, size)`."""
    window = ops.floor(pixels / zoom + 1e-3)
    offset = (stride - 1) / 2  # From a patch's first pixel to its centre.
    centres = stride * ops.arange(size, dtype=corner.dtype)[None] + offset
    steps = centres / max(pixels - 1, 1)
    return (corner + steps * (window - 1.0) - offset) / stride


def _weights(positions: Tensor, size: int) -> Tensor:
    """Matrices of linear interpolation, `(batch, positions, size)`."""
    grid = ops.arange(size, dtype=positions.dtype)
    inside = ops.clip(positions, 0.0, size - 1.0)
    return ops.relu(1.0 - ops.abs(inside[:, :, None] - grid))
