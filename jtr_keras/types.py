"""The types that cross the rooms: their names, and asking for them."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of the Keras backend, a NumPy array or a `KerasTensor`."""

TensorDict: TypeAlias = dict[str, Tensor]
"""Tensors by the name of a task or of a term."""

Shape: TypeAlias = tuple[int | None, ...]
"""A static shape; `None` where a size is unknown."""

GEOMETRY = "view_geometry"
"""Key, among the targets, of how each view was made from the first one."""

Config: TypeAlias = dict[str, Any]
"""What `get_config` returns."""


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
