"""Where the pixels of a map are, and how its values change there."""

from keras import ops

from jtr_keras.types import Tensor


def coordinate_channels(stack: Tensor) -> Tensor:
    """Row and column of each pixel, from -1 to 1.

    Args:
        stack: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, height, width, 2)`.
    """
    batch, height, width, _ = ops.shape(stack)
    rows = ops.linspace(-1.0, 1.0, height)[:, None]
    columns = ops.linspace(-1.0, 1.0, width)[None, :]
    size = (height, width)
    both = [ops.broadcast_to(axis, size) for axis in (rows, columns)]
    both = ops.cast(ops.stack(both, axis=-1), stack.dtype)
    return ops.broadcast_to(both[None], (batch, *size, 2))


def image_gradients(stack: Tensor) -> Tensor:
    """Changes of values down and to the right.

    The unit is that of `coordinate_channels`: how much values would change
    across half of the image, if they changed everywhere as they do here. A
    hyperbolic tangent limits them to (-1, 1), since the edge of an object is no
    slope.

    Args:
        stack: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, height, width, 2 * channels)`: all channels
        down, then all to the right.
    """
    _, height, width, _ = ops.shape(stack)
    padded = ops.pad(stack, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric")
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    changes = [down * (height / 4.0), right * (width / 4.0)]
    return ops.tanh(ops.concatenate(changes, axis=-1))
