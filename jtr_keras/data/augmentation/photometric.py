"""Changes of colour that leave the geometry alone."""

from collections.abc import Callable

import tensorflow as tf

from jtr_keras.types import Tensor

GREY = (0.299, 0.587, 0.114)
"""Luma of red, green and blue (ITU-R 601)."""

_LEVELS = 6
"""Magnitudes: the six weakest of RandAugment's 31."""


def _identity(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    return image


def _blend(image: Tensor, base: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    """Away from `base`, or towards it, by up to 15 %."""
    factor = 1.0 + sign * 0.03 * level
    return tf.clip_by_value(base + factor * (image - base), 0.0, 1.0)


def _grey(image: Tensor) -> Tensor:
    return tf.reduce_sum(image * GREY, axis=-1, keepdims=True)


def _brightness(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    return _blend(image, tf.zeros_like(image), level, sign)


def _colour(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    return _blend(image, _grey(image), level, sign)


def _contrast(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    return _blend(image, tf.reduce_mean(_grey(image)), level, sign)


def _sharpness(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    kernel = tf.constant([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]])
    kernel = tf.tile((kernel / 13.0)[:, :, None, None], (1, 1, 3, 1))
    smooth = tf.nn.depthwise_conv2d(image[None], kernel, [1] * 4, "VALID")[0]
    inside = tf.pad(tf.ones_like(smooth), [[1, 1], [1, 1], [0, 0]]) > 0
    smooth = tf.pad(smooth, [[1, 1], [1, 1], [0, 0]])
    return _blend(image, tf.where(inside, smooth, image), level, sign)


def _bytes(image: Tensor) -> Tensor:
    return tf.cast(tf.round(image * 255.0), tf.int32)


def _posterize(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    step = tf.where(level < 4, 1, 2)  # 8 bits, or 7 at the two strongest.
    return tf.cast(_bytes(image) // step * step, tf.float32) / 255.0


def _solarize(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    values = tf.cast(_bytes(image), tf.float32)
    bright = values >= 255.0 - 8.5 * level
    return tf.where(bright, 255.0 - values, values) / 255.0


def _autocontrast(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    low = tf.reduce_min(image, axis=(0, 1), keepdims=True)
    high = tf.reduce_max(image, axis=(0, 1), keepdims=True)
    stretched = (image - low) / tf.maximum(high - low, 1e-6)
    return tf.where(high > low, stretched, image)


def _equalize(image: Tensor, level: Tensor, sign: Tensor) -> Tensor:
    channels = tf.unstack(_bytes(image), axis=-1)
    equal = tf.stack([_equalize_channel(x) for x in channels], axis=-1)
    return tf.cast(equal, tf.float32) / 255.0


def _equalize_channel(values: Tensor) -> Tensor:
    """Histogram equalisation of integers in 0..255, as Pillow does it."""
    flat = tf.reshape(values, (-1,))
    histogram = tf.math.bincount(flat, minlength=256, maxlength=256)
    last = tf.boolean_mask(histogram, histogram > 0)[-1]
    step = (tf.reduce_sum(histogram) - last) // 255
    table = tf.cumsum(histogram, exclusive=True) + step // 2
    table = tf.minimum(table // tf.maximum(step, 1), 255)
    return tf.where(step > 0, tf.gather(table, values), values)


OPERATIONS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "identity": _identity,
    "brightness": _brightness,
    "colour": _colour,
    "contrast": _contrast,
    "sharpness": _sharpness,
    "posterize": _posterize,
    "solarize": _solarize,
    "autocontrast": _autocontrast,
    "equalize": _equalize,
}
"""From an image `(height, width, 3)` in `[0, 1]`, a level from 0 to 5 and a
sign to an image."""


@tf.function(autograph=False)  # Traced once, not once for every use.
def photometric(image: Tensor, uniform: Tensor) -> Tensor:
    """One operation, level and sign, each sampled uniformly.

    Args:
        image: float32 tensor of shape `(height, width, 3)` in `[0, 1]`.
        uniform: `(3,)`, random numbers in `[0, 1)`.

    Returns:
        Tensor of the same shape, in `[0, 1]`.

    Reference:
        - [Cubuk et al., 2020](https://arxiv.org/abs/1909.13719)
    """
    level = tf.floor(uniform[1] * _LEVELS)
    sign = tf.where(uniform[2] < 0.5, -1.0, 1.0)
    branches = [
        lambda operation=operation: operation(image, level, sign)
        for operation in OPERATIONS.values()
    ]
    choice = tf.cast(uniform[0] * len(branches), tf.int32)
    return tf.ensure_shape(tf.switch_case(choice, branches), image.shape)
