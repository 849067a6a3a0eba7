"""Names for types that cross the packages, and asking for them."""

import numbers
from collections.abc import Sequence
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of the Keras backend, a NumPy array or a `KerasTensor`."""

TensorDict: TypeAlias = dict[str, Tensor]
"""Tensors by the name of a task or of a term."""

Shape: TypeAlias = tuple[int | None, ...]
"""A static shape; `None` where a size is unknown."""

Config: TypeAlias = dict[str, Any]
"""What `get_config` returns."""

IMAGES, GEOMETRY = "images", "geometry"
"""Keys of `x` where it says how each view was made from the first one."""


def require_instance(argument: str, value: Any, cls: type, what: str) -> None:
    """ValueError if an argument is of another class, or a class itself.

    Args:
        argument: Its name.
        value: What came.
        cls: What it must be an instance of.
        what: The same in words, with an example.
    """
    if not isinstance(value, cls):
        raise ValueError(f"`{argument}` must be {what}; got {value!r}.")


def require_positive(argument: str, value: Any) -> None:
    """ValueError unless an argument is a whole number from 1 on."""
    if not _is_positive(value):
        raise ValueError(
            f"`{argument}` must be a whole number from 1 on; got {value!r}."
        )


def require_size(image_size: Any) -> None:
    """ValueError unless `image_size` is a height and a width, or None."""
    if image_size is None:
        return
    is_pair = isinstance(image_size, Sequence) and len(image_size) == 2
    if not is_pair or not all(map(_is_positive, image_size)):
        raise ValueError(
            "`image_size` must be a pair of whole numbers, (height, width); "
            f"got {image_size!r}."
        )


def _is_positive(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and int(value) > 0
