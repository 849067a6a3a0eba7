"""How annotations are encoded in image files, and back to numbers."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.types import Tensor

VOID_CLASS = 255
CURVATURE_RANGE = 20.0
"""Largest principal curvature that can be encoded, per metre."""


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How one kind of annotation is encoded in a PNG.

    Args:
        channels: Channels of the annotation.
        decode: From the file's integers to the task's values.
        file_channels: Channels of the file.
        dtype: Integer type of the file.
    """

    channels: int
    decode: Callable[[Tensor], Tensor]
    file_channels: int = 1
    dtype: tf.DType = tf.uint8


def _classes(values: Tensor) -> Tensor:
    labels = tf.cast(values, tf.int32)
    return tf.where(labels == VOID_CLASS, -1, labels)


def _metres(values: Tensor) -> Tensor:
    return tf.cast(values, tf.float32) / 1000.0


def _signed(values: Tensor) -> Tensor:
    return (tf.cast(values, tf.float32) - 128.0) / 127.0


def _unit(values: Tensor) -> Tensor:
    return tf.cast(values, tf.float32) / 255.0


def _curvature(values: Tensor) -> Tensor:
    valid = tf.reduce_any(values != 0, axis=-1, keepdims=True)
    curvature = _signed(values[..., :2]) * CURVATURE_RANGE
    return tf.where(valid, curvature, float("nan"))


ENCODINGS = {
    "segmentation": Encoding(1, _classes),
    "depth": Encoding(1, _metres, dtype=tf.uint16),
    "normals": Encoding(3, lambda v: unit_vectors(_signed(v)), file_channels=3),
    "edge_texture": Encoding(1, _unit),
    "edge_occlusion": Encoding(1, _unit),
    "reshading": Encoding(1, _unit),
    "keypoints2d": Encoding(1, _unit),
    "principal_curvature": Encoding(2, _curvature, file_channels=3),
}
"""How annotations are encoded, by their names; you may add your own."""


def decode(name: str, encoded: Tensor) -> Tensor:
    """Decodes the bytes of an image file.

    Args:
        name: `"image"` or a key of `ENCODINGS`.
        encoded: String scalar, a JPEG or PNG.

    Returns:
        Tensor of shape `(height, width, channels)`.
    """
    if name == "image":
        image = tf.io.decode_image(encoded, 3, expand_animations=False)
        return _unit(image)
    encoding = ENCODINGS[name]
    values = tf.io.decode_png(encoded, encoding.file_channels, encoding.dtype)
    _require_form(encoded, encoding)
    return encoding.decode(values)


def _require_form(encoded: Tensor, encoding: Encoding) -> None:
    """Fails unless the file has the encoding's bits and colours.

    TensorFlow would convert another one silently: a palette to greys, 16 bits
    to 8.
    """
    bits = 8 * encoding.dtype.size
    colours, colour_type = {1: ("grey", 0), 3: ("RGB", 2)}[
        encoding.file_channels
    ]
    header = tf.strings.substr(encoded, 24, 2)  # PNG specification, 11.2.1.
    tf.debugging.assert_equal(
        tf.io.decode_raw(header, tf.uint8),
        tf.constant([bits, colour_type], tf.uint8),
        f"expected a PNG of {bits} bit {colours}, not another kind (a "
        "palette, say), whose values would be converted",
    )
