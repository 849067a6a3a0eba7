"""Some of the images of a source."""

import re
from typing import Any

import tensorflow as tf

from jtr_keras.data.source import Source
from jtr_keras.types import Tensor

_SPLIT = re.compile(r"(?P<name>[^\[\]]+)(\[(?P<begin>\d*):(?P<end>\d*)\])?")


class SourceSlice(Source):
    """The images from one index up to another, to hold some out.

    Args:
        source: The source.
        begin: First index, or None for the first image.
        end: Index behind the last one, or None for all that follow.

    Raises:
        ValueError: If no image is left.
    """

    def __init__(
        self, source: Source, begin: int | None, end: int | None
    ) -> None:
        self.source = source
        self.size = source.size
        self.channels = source.channels
        self.columns = source.columns
        self.names = source.names[begin:end]
        self.begin = begin or 0
        if not self.names:
            raise ValueError(
                f"The slice [{begin}:{end}] of {source.num_images} images is "
                "empty."
            )

    def read(self, index: Tensor, name: str) -> Tensor:
        begin = tf.constant(self.begin, tf.int64)
        return self.source.read(tf.cast(index, tf.int64) + begin, name)

    def annotated(self, name: str) -> Any:
        whole = self.source.annotated(name)
        return whole[self.begin : self.begin + self.num_images]

    def file(self, index: int, name: str) -> str:
        return self.source.file(index + self.begin, name)


def parse_split(split: str) -> tuple[str, int | None, int | None]:
    """The parts of a split such as `"train[:700]"`, written as in TFDS.

    Args:
        split: A name, or a name with a slice of indices.

    Returns:
        The name, and both ends of the slice, None where not given.

    Raises:
        ValueError: If it is written in another way.
    """
    match = _SPLIT.fullmatch(split)
    if not match:
        raise ValueError(
            "`split` must be a name, or a slice such as 'train[:700]'; got "
            f"{split!r}."
        )
    begin, end = (int(match[x]) if match[x] else None for x in ("begin", "end"))
    return match["name"], begin, end
