"""What images and other tensors that users hand over must be."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from jtr_keras.types import Shape, Tensor

IMAGES: Shape = (None, None, None, 3)
"""`(batch, height, width, 3)`."""
VIEWS: Shape = (None, *IMAGES)
"""`(batch, views, height, width, 3)`."""


def check_images(
    argument: str, images: Tensor, shapes: Sequence[Shape] = (IMAGES,)
) -> None:
    """ValueError if these are no colour images in floats.

    Args:
        argument: What the message calls them.
        images: Tensor of one of the shapes.
        shapes: `IMAGES`, `VIEWS`, or both.
    """
    if isinstance(images, dict):
        raise ValueError(
            f"`{argument}` must be a tensor of images; got a dict of "
            f"{sorted(images)}. Of a training batch, take "
            "`x['images'][:, 0]`, the first view."
        )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(
            f"`{argument}` must be float images in [0, 1]; got dtype {dtype}. "
            "Divide by 255."
        )
    shape = static_shape(argument, images)
    if not any(fits(shape, expected) for expected in shapes):
        axes = ("views, " if len(s) == len(VIEWS) else "" for s in shapes)
        names = " or ".join(f"(batch, {a}height, width, 3)" for a in axes)
        raise ValueError(f"`{argument}` must have shape {names}; got {shape}.")


def wrong_values(image: Any) -> str | None:
    """What is wrong with the values of an image, or None; see `Task.check`."""
    # A comparison with NaN is false.
    if np.all((image >= 0) & (image <= 1)):
        return None
    return "values must be in [0, 1]"


def require_shape(what: str, tensor: Any, expected: Shape) -> None:
    """ValueError if a method of a user's own returned another shape.

    Args:
        what: The method, for the message.
        tensor: What it returned.
        expected: The shape that it must have; `None` where any size will do.
    """
    shape = getattr(tensor, "shape", None)
    if shape is None or not fits(tuple(shape), expected):
        found = type(tensor).__name__ if shape is None else tuple(shape)
        raise ValueError(
            f"`{what}` must return a tensor of shape {expected}; got {found}."
        )


def static_shape(argument: str, tensor: Tensor) -> Shape:
    """The shape as far as it is known; ValueError if not even the rank is."""
    try:
        return tuple(tensor.shape)
    except ValueError as error:
        raise ValueError(
            f"`{argument}` has no static shape, as after `tf.py_function`; "
            "call `set_shape` on it where the dataset is made."
        ) from error


def fits(shape: Shape, expected: Shape) -> bool:
    """Whether two shapes may be the same; `None` may be any size."""
    return len(shape) == len(expected) and all(
        None in pair or pair[0] == pair[1]
        for pair in zip(shape, expected, strict=True)
    )
