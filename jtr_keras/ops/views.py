"""The axis of views, behind that of the batch."""

from keras import ops

from jtr_keras.types import Tensor


def view(maps: Tensor, index: int) -> Tensor:
    """One view of each image.

    The same as `maps[:, index]`, whose gradient takes fifteen times as long on
    a CPU.

    Args:
        maps: Tensor of shape `(batch, views, ...)`, their number known.
        index: int. Which view.

    Returns:
        Tensor of shape `(batch, ...)`.

    Example:

    >>> maps = keras.ops.reshape([1.0, 2.0, 3.0, 4.0], (2, 2))
    >>> jtr_keras.ops.view(maps, 1).numpy().tolist()
    [2.0, 4.0]
    """
    return ops.unstack(maps, axis=1)[index]


def first_views(maps: Tensor, count: int) -> Tensor:
    """The first views of each image; as fast as `view`.

    Args:
        maps: Tensor of shape `(batch, views, ...)`, their number known.
        count: int. How many views.

    Returns:
        Tensor of shape `(batch, count, ...)`.
    """
    if count == maps.shape[1]:
        return maps
    return ops.stack(ops.unstack(maps, axis=1)[:count], axis=1)
