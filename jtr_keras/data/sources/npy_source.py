"""The `.npy` folders of the MTAN, MTPSL and JTR code."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.data.sources.source import Source
from jtr_keras.types import Tensor

Convert = Callable[[Any], Any]
Annotations = dict[str, tuple[str, int, Convert]]


class NpySource(Source):
    """`ROOT/SPLIT/FOLDER/INDEX.npy`, one file an image and annotation.

    Args:
        root: Folder that holds the splits.
        split: `"train"` or `"val"`.
        annotations: For each annotation's name, its folder, its channels and
            the conversion of its array.

    Raises:
        ValueError: If there is no image or the first one cannot be read.
    """

    def __init__(
        self,
        root: str | pathlib.Path,
        split: str,
        annotations: Annotations,
    ) -> None:
        self.folder = pathlib.Path(root) / split
        self.origin = str(self.folder)
        names = [path.stem for path in (self.folder / "image").glob("*.npy")]
        if not names:
            raise ValueError(
                f"No .npy files in {self.folder / 'image'}: expected the "
                "layout ROOT/SPLIT/image/0.npy of the MTAN data."
            )
        self.names = sorted(names, key=lambda name: (len(name), name))
        self.annotations = annotations
        self.channels = {name: a[1] for name, a in annotations.items()}
        self.columns: Sequence[str] = tuple(annotations)
        height, width, _ = self.read_array(0, "image").shape
        self.size = (height, width)

    def file(self, index: int, name: str) -> str:
        folder = "image" if name == "image" else self.annotations[name][0]
        return str(self.folder / folder / f"{self.names[index]}.npy")

    def annotated(self, name: str) -> Any:
        folder = self.folder / self.annotations[name][0]
        return np.isin(self.names, [path.stem for path in folder.glob("*.npy")])

    def read(self, index: Tensor, name: str) -> Tensor:
        def load(position: Any) -> Any:
            array = np.load(self.file(int(position), name))
            if name == "image":
                return np.asarray(array, np.float32)
            return self.annotations[name][2](array)

        dtype = tf.int32 if self._is_integer(name) else tf.float32
        values = tf.numpy_function(load, [index], dtype, stateful=False)
        values.set_shape((None, None, None))
        return values

    def _is_integer(self, name: str) -> bool:
        return name != "image" and self.annotations[name][2] is classes


def classes(array: Any) -> Any:
    """`(height, width)` class ids of any type to `(height, width, 1)` int32."""
    return np.asarray(array, np.int32)[..., None]


def values(array: Any) -> Any:
    """`(height, width)` or `(height, width, 1)` to the latter, float32."""
    array = np.asarray(array, np.float32)
    return array if array.ndim == 3 else array[..., None]


def vectors(axes: Sequence[int]) -> Convert:
    """Conversion of `(height, width, 3)` vectors with signs for the axes."""
    signs = np.asarray(axes, np.float32)
    return lambda array: np.asarray(array, np.float32) * signs
