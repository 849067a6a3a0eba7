"""Names for the types that cross the rooms."""

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
