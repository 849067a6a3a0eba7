"""The functions that an exported network offers to servers."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.types import Tensor, TensorDict

MIN_SIDE = 2
"""Smallest height and width of an image, in pixels."""
MAX_SIDE = 8192
"""Largest height and width: a request must not take a server's memory."""
DEFAULT_SIZE = (256, 256)
"""Height and width for networks that were never trained on images."""


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function of one tensor and what it expects.

    Args:
        function: From the input to a dict of outputs by task name.
        spec: Name, shape and dtype of the input.
        takes: What the input is, for model cards.
    """

    function: Callable[[Tensor], TensorDict]
    spec: tf.TensorSpec
    takes: str


def make_signatures(
    predictor: DensePredictor, image_size: tuple[int, int]
) -> dict[str, Signature]:
    """The signatures by name; the first one is also `serving_default`.

    Args:
        predictor: The network.
        image_size: Height and width that encoded images are resized to.

    Returns:
        The signatures.
    """
    # Shared: otherwise the graph would hold the network five times.
    predict = _traced(predictor)

    def quantize(outputs: TensorDict) -> TensorDict:
        return {
            task.name: task.codec.quantize(outputs[task.name])
            for task in predictor.tasks
        }

    def decode(image_bytes: Tensor) -> Tensor:
        return decode_images(image_bytes, image_size)

    floats = tf.TensorSpec((None, None, None, 3), tf.float32, "images")
    integers = tf.TensorSpec((None, None, None, 3), tf.uint8, "images")
    encoded = tf.TensorSpec((None,), tf.string, "image_bytes")
    size = f"{image_size[0]}x{image_size[1]} (height x width)"
    return {
        "serve": Signature(
            predict, floats, "images as floats in [0, 1], of any size"
        ),
        "serve_uint8": Signature(
            lambda images: predict(_to_floats(images)),
            integers,
            "images as integers from 0 to 255, of any size",
        ),
        "serve_bytes": Signature(
            lambda image_bytes: predict(decode(image_bytes)),
            encoded,
            f"JPEG or PNG files of any sizes; each is resized to {size}, and "
            "so are the outputs",
        ),
        "classes": Signature(
            lambda images: quantize(predict(images)),
            floats,
            "as `serve`, with small integers as answers",
        ),
        "classes_bytes": Signature(
            lambda image_bytes: quantize(predict(decode(image_bytes))),
            encoded,
            "as `serve_bytes`, with small integers as answers",
        ),
    }


def require_images(images: Tensor) -> Tensor:
    """The images; the request fails if there are none or a side is extreme.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        The same images.
    """
    sides = tf.shape(images)[1:3]
    small = f"An image must be {MIN_SIDE} pixels high and wide, or more."
    large = f"An image must be {MAX_SIDE} pixels high and wide, or less."
    checks = [
        tf.debugging.assert_greater_equal(sides, MIN_SIDE, small),
        tf.debugging.assert_less_equal(sides, MAX_SIDE, large),
    ]
    with tf.control_dependencies(checks):
        return _require_batch(images)


def decode_images(image_bytes: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Files of images as `(batch, *image_size, 3)`, floats in `[0, 1]`.

    Args:
        image_bytes: String tensor of shape `(batch,)`: JPEG, PNG, BMP or the
            first picture of a GIF. Anything else makes the request fail.
        image_size: Height and width; the aspect ratio is not kept.

    Returns:
        The images.
    """

    def decode(contents: Tensor) -> Tensor:
        image = tf.io.decode_image(contents, 3, expand_animations=False)
        image.set_shape((None, None, 3))
        image = _to_floats(require_images(image[None])[0])
        # Without antialiasing, large photographs would become noise.
        image = tf.image.resize(image, image_size, antialias=True)
        return tf.clip_by_value(image, 0.0, 1.0)

    return tf.map_fn(
        decode, _require_batch(image_bytes), fn_output_signature=tf.float32
    )


def _traced(predictor: DensePredictor) -> Callable[[Tensor], TensorDict]:
    """Predictions for floats in `[0, 1]` as float32, as one graph function."""
    images = tf.TensorSpec((None, None, None, 3), tf.float32, "images")

    @tf.function(input_signature=[images], autograph=False)
    def predict(images: Tensor) -> TensorDict:
        outputs = predictor(require_images(images), training=False)
        return {k: tf.cast(v, tf.float32) for k, v in outputs.items()}

    return predict


def _require_batch(inputs: Tensor) -> Tensor:
    message = "The batch is empty; expected one image or more."
    check = tf.debugging.assert_positive(tf.shape(inputs)[0], message)
    with tf.control_dependencies([check]):
        return tf.identity(inputs)


def _to_floats(images: Tensor) -> Tensor:
    return tf.cast(images, tf.float32) / 255.0
