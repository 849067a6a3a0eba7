"""Where images and annotations come from."""

import abc
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


class Source(abc.ABC):
    """Images and annotations by index, each file read only when asked for.

    Attributes:
        origin: Where they are, for printing.
        names: One name an image, in the order of the indices; annotation files
            and published label splits go by them.
        size: `(height, width)` of every image and annotation.
        channels: Channels of each annotation by its name.
        columns: Names of the annotations in the order of the columns of
            published label files.
    """

    origin: str = ""
    names: Sequence[str]
    size: tuple[int, int]
    channels: dict[str, int]
    columns: Sequence[str]

    def __repr__(self) -> str:
        height, width = self.size
        return (
            f"{type(self).__name__}({self.origin!r}): {self.num_images} images "
            f"of {height}x{width} with {', '.join(self.channels)}"
        )

    @property
    def num_images(self) -> int:
        """Number of images."""
        return len(self.names)

    @abc.abstractmethod
    def read(self, index: Tensor, name: str) -> Tensor:
        """`"image"` or an annotation, as TensorFlow operations.

        Args:
            index: int64 scalar.
            name: `"image"` or a key of `channels`.

        Returns:
            float32 image of shape `(height, width, 3)` in `[0, 1]`, or an
            annotation as its task expects it, `(height, width, channels)`.
        """

    @abc.abstractmethod
    def file(self, index: int, name: str) -> str:
        """The file behind an image or annotation, for messages."""

    def annotated(self, name: str) -> Any:
        """Which images have an annotation, bool of shape `(num_images,)`.

        By default all of them.

        Args:
            name: A key of `channels`.
        """
        return np.ones(self.num_images, bool)

    def read_array(self, index: int, name: str) -> Any:
        """What `read` gives, as an array.

        Raises:
            ValueError: If there is no such file or it cannot be read; names
                the file.
        """
        try:
            return np.asarray(self.read(index, name))
        except Exception as error:  # Decoders raise errors of many kinds.
            first_line = str(error).strip().split("\n")[0]
            # TensorFlow names the operation, too.
            reason = re.sub(r"{{.*?}}\s*", "", first_line)
            raise ValueError(
                f"{self.file(index, name)} is missing or cannot be read as "
                f"{name}: {reason}"
            ) from error

    def image(self, index: Tensor) -> Tensor:
        """The image of an index, of known shape."""
        return self._shaped(self.read(index, "image"), index, "image", 3)

    def target(self, index: Tensor, task: Task) -> Tensor:
        """The annotation of an index for a task, of known shape and dtype."""
        target = tf.cast(self.read(index, task.name), task.target_dtype)
        return self._shaped(target, index, task.name, task.target_channels)

    def require(self, tasks: Sequence[Task]) -> None:
        """Raises ValueError unless there are annotations for all tasks."""
        for task in tasks:
            if task.name not in self.channels:
                raise ValueError(
                    f"No annotation is called {task.name!r} for "
                    f"{self.file(0, 'image')}; there are "
                    f"{sorted(self.channels)}. A task's `name` must be one."
                )
            channels: Any = self.channels[task.name]
            if channels != task.target_channels:
                raise ValueError(
                    f"Annotations {task.name!r} have {channels} channels; the "
                    f"task expects {task.target_channels}."
                )

    def _shaped(
        self, array: Tensor, index: Tensor, name: str, channels: int
    ) -> Tensor:
        expected, found = (*self.size, channels), tf.shape(array)
        text = f"{name} must have shape {expected} (height, width, channels);"
        image = tf.gather(tf.constant(list(self.names)), index)
        same = tf.reduce_all(tf.equal(found, expected))
        fits = tf.debugging.Assert(
            same, [text, "got", found, "for image", image]
        )
        with tf.control_dependencies([fits]):
            return tf.ensure_shape(array, expected)


_SPLIT = re.compile(r"(?P<name>[^\[\]]+)(\[(?P<begin>\d*):(?P<end>\d*)\])?")


class SourceSlice(Source):
    """The images from one index up to another, to hold some out.

    Args:
        source: The source.
        begin: First index, or None for the first image.
        end: Index after the last one, or None for all that follow.

    Raises:
        ValueError: If no image is left.
    """

    def __init__(
        self, source: Source, begin: int | None, end: int | None
    ) -> None:
        self.source = source
        ends = ("" if x is None else str(x) for x in (begin, end))
        self.origin = f"{source.origin}[{':'.join(ends)}]"
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
