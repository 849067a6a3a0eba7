"""A folder of image files in the layout of the Rooms set."""

import pathlib
import warnings
from collections import Counter
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.data.sources.encodings import ENCODINGS, decode
from jtr_keras.data.sources.source import Source
from jtr_keras.types import Tensor


class FolderSource(Source):
    """`ROOT/SPLIT/image/NAME.jpg` and `ROOT/SPLIT/ANNOTATION/NAME.png`.

    Images are JPEG or PNG. An annotation's name says how it is encoded: see
    `docs/data.md`, and `jtr_keras.data.ENCODINGS`, where you can add one.

    Args:
        root: Folder that holds the splits.
        split: Name of the split's folder, such as `"train"`.

    Raises:
        ValueError: If there is no image or the first one cannot be read.
    """

    def __init__(self, root: str | pathlib.Path, split: str) -> None:
        self.folder = pathlib.Path(root) / split
        self.origin = str(self.folder)
        self.columns = tuple(ENCODINGS)
        images = sorted(
            path
            for path in (self.folder / "image").glob("*")
            if path.suffix.lower() in (".jpg", ".jpeg", ".png")
        )
        if not images:
            raise ValueError(
                f"No images in {self.folder / 'image'}: expected JPEG or PNG "
                "files, in the layout ROOT/SPLIT/image/NAME.jpg."
            )
        self.names = [path.stem for path in images]
        name, count = Counter(self.names).most_common(1)[0]
        if count > 1:
            raise ValueError(
                f"{count} images in {self.folder / 'image'} are called {name}; "
                "they would share their annotations."
            )
        self.images = images
        self.channels = {
            name: encoding.channels
            for name, encoding in ENCODINGS.items()
            if (self.folder / name).is_dir()
        }
        self.paths = {
            name: tf.constant(
                [self.file(index, name) for index in range(len(images))]
            )
            for name in ("image", *self.channels)
        }
        height, width, _ = self.read_array(0, "image").shape
        self.size = (height, width)

    def file(self, index: int, name: str) -> str:
        if name == "image":
            return str(self.images[index])
        return str(self.folder / name / f"{self.names[index]}.png")

    def annotated(self, name: str) -> Any:
        found = [path.stem for path in (self.folder / name).glob("*.png")]
        lost = sorted(set(found) - set(self.names))
        if lost:
            warnings.warn(
                f"{self.folder / name} has annotations of no image: "
                f"{len(lost)} files, the first of them {lost[0]}.png.",
                stacklevel=2,
            )
        return np.isin(self.names, found)

    def read(self, index: Tensor, name: str) -> Tensor:
        return decode(name, tf.io.read_file(tf.gather(self.paths[name], index)))
