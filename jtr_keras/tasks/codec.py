"""How the values of a task sit in the joint space of all tasks."""

import abc
import math

import keras
from keras import ops

from jtr_keras.config import Configurable
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.similarity import unit_vectors
from jtr_keras.tasks.quantization import Quantization
from jtr_keras.types import Tensor


class Codec(Configurable, abc.ABC):
    """From values to codes in `[0, 1]`, what they mean and how they differ.

    Regularizations know codecs, not tasks: what one of them needs beyond these
    methods is a function of its own that `functools.singledispatch` chooses by
    the codec's class. Codes are `(batch, height, width, channels)`.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), code
    """

    channels: int
    """Channels of a prediction and of its code."""
    target_channels: int
    """Channels of an annotation."""
    quantization: Quantization
    """Which small integers stand for a target."""
    empty: float = 0.0
    """The code of nothing: every channel of an unannotated pixel."""
    sampled: bool = False
    """Whether the code of a prediction can be a random sample."""
    bounds: tuple[float, float] | None = None
    """Smallest and largest value of targets; None where there is none."""

    @property
    def prediction_bounds(self) -> tuple[float, float] | None:
        """Smallest and largest prediction; by default, those of values."""
        return self.bounds

    @abc.abstractmethod
    def encode(self, targets: Tensor) -> Tensor:
        """Code of targets that are annotated everywhere; differentiable."""

    def encode_predictions(
        self, predictions: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Code of predictions; by default, that of targets of their values.

        `noise`, given where a codec is `sampled`, is Gumbel noise of the
        predictions' shape; the code is then a random sample.
        """
        return self.encode(predictions)

    def values(self, predictions: Tensor) -> Tensor:
        """What metrics compare with targets; by default, predictions."""
        return predictions

    def to_targets(self, predictions: Tensor) -> Tensor:
        """Targets that say what predictions say; by default, their values."""
        return self.values(predictions)

    def project(self, values: Tensor) -> Tensor:
        """The nearest values that are valid; interpolation may leave them."""
        return values

    def distance(self, code: Tensor, other: Tensor) -> Tensor:
        """Squared difference of two codes, `(batch, height, width, 1)`.

        Codes from 0 to 1 count as values from -1 to 1.
        """
        squares = ops.square(code - other)
        return 4.0 * ops.sum(squares, axis=-1, keepdims=True)

    def prediction_error(self, code: Tensor, predictions: Tensor) -> Tensor:
        """Error of predictions where `code` is a guess of their code.

        A guess may be a mean of many codes. By default their `distance`.

        Returns shape `(batch, height, width, 1)`.
        """
        return self.distance(code, self.encode_predictions(predictions))

    def quantize(self, predictions: Tensor) -> Tensor:
        """Predictions as small integers, of the shape of targets."""
        return self.quantization.quantize(self.to_targets(predictions))


@keras.saving.register_keras_serializable(package="jtr_keras")
class Categorical(Codec):
    """One channel a class; predictions are logits.

    A target's code is one-hot, a prediction's its probabilities, or a
    straight-through Gumbel sample of them.

    Args:
        num_classes: int. Classes are `0` to `num_classes - 1`.

    Example:

    >>> codec = jtr_keras.tasks.Categorical(num_classes=3)
    >>> codec.encode(tf.constant([[[[2]]]])).numpy().ravel().tolist()
    [0.0, 0.0, 1.0]

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144)
    """

    target_channels = 1
    sampled = True

    def __init__(self, num_classes: int) -> None:
        self.num_classes = self.channels = num_classes
        dtype = "uint8" if num_classes <= 256 else "uint16"
        self.quantization = Quantization(dtype)

    def encode(self, targets: Tensor) -> Tensor:
        labels = ops.cast(ops.squeeze(targets, axis=-1), "int32")
        return ops.one_hot(labels, self.num_classes, dtype=loss_dtype())

    def encode_predictions(
        self, predictions: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        if noise is None:
            return ops.softmax(predictions)
        soft = ops.softmax(predictions + noise)
        hard = ops.one_hot(
            ops.argmax(soft, axis=-1), self.num_classes, dtype=soft.dtype
        )
        # Straight through: the value is hard, the gradient soft.
        return ops.stop_gradient(hard - soft) + soft

    def to_targets(self, predictions: Tensor) -> Tensor:
        return ops.argmax(predictions, axis=-1)[..., None]

    def distance(self, code: Tensor, other: Tensor) -> Tensor:
        squares = ops.square(code - other)
        return ops.sum(squares, axis=-1, keepdims=True)

    def prediction_error(self, code: Tensor, predictions: Tensor) -> Tensor:
        return self.cross_entropy(code, ops.log_softmax(predictions, axis=-1))

    def cross_entropy(self, code: Tensor, logarithm: Tensor) -> Tensor:
        """Over that of a blind guess, the logarithm of the number of classes.

        So it is of the size of other codecs' errors. `code` sums to 1,
        `logarithm` is that of probabilities.
        """
        entropy = -ops.sum(code * logarithm, axis=-1, keepdims=True)
        return entropy / math.log(self.num_classes)


@keras.saving.register_keras_serializable(package="jtr_keras")
class UnitInterval(Codec):
    """Values of known range: the code is the place in it.

    Args:
        minimum: float. Smallest value.
        maximum: float. Largest value.
        channels: int. Number of channels.
        from_logits: bool. Whether predictions are logits, which a sigmoid
            turns into places in the range.

    Raises:
        ValueError: If `channels` is not positive or the range is empty.

    Example:

    >>> codec = jtr_keras.tasks.UnitInterval(minimum=0.0, maximum=4.0)
    >>> float(codec.encode(tf.constant(1.0)))
    0.25
    """

    def __init__(
        self,
        minimum: float = 0.0,
        maximum: float = 1.0,
        channels: int = 1,
        from_logits: bool = False,
    ) -> None:
        if channels < 1:
            raise ValueError(f"`channels` must be >= 1; got {channels}.")
        if not minimum < maximum:
            raise ValueError(
                "`minimum` must be less than `maximum`; "
                f"got {minimum} and {maximum}."
            )
        self.minimum = minimum
        self.maximum = maximum
        self.channels = self.target_channels = channels
        self.from_logits = from_logits
        self.bounds = (minimum, maximum)
        self.quantization = Quantization(
            "uint8", (maximum - minimum) / 255.0, minimum
        )

    @property
    def prediction_bounds(self) -> tuple[float, float] | None:
        return None if self.from_logits else self.bounds

    def encode(self, targets: Tensor) -> Tensor:
        place = (targets - self.minimum) / (self.maximum - self.minimum)
        return ops.clip(place, 0.0, 1.0)

    def encode_predictions(
        self, predictions: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        if self.from_logits:
            return ops.sigmoid(predictions)
        return self.encode(predictions)

    def values(self, predictions: Tensor) -> Tensor:
        return self.squash(predictions) if self.from_logits else predictions

    def squash(self, logits: Tensor) -> Tensor:
        """Logits as values in the range."""
        # In this order: tf2onnx gives `0 + 1 * x` a fifth axis.
        span = self.maximum - self.minimum
        return ops.sigmoid(logits) * span + self.minimum


@keras.saving.register_keras_serializable(package="jtr_keras")
class NormalQuantile(Codec):
    """Unbounded values: the code is their quantile under a normal law.

    Args:
        mean: float. Mean of the values in the training set.
        stddev: float. Their standard deviation.
        quantization: Which integers stand for values. Defaults to 16 bits for
            those within four deviations of the mean.

    Raises:
        ValueError: If `stddev` is not positive.

    Example:

    >>> codec = jtr_keras.tasks.NormalQuantile(mean=2.0, stddev=1.0)
    >>> float(codec.encode(tf.constant(2.0)))
    0.5

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), code
    """

    channels = target_channels = 1

    def __init__(
        self,
        mean: float,
        stddev: float,
        quantization: Quantization | None = None,
    ) -> None:
        if not stddev > 0:
            raise ValueError(f"`stddev` must be positive; got {stddev}.")
        self.mean = mean
        self.stddev = stddev
        self.quantization = quantization or Quantization(
            "uint16", 8.0 * stddev / 65535.0, mean - 4.0 * stddev
        )
        # That of the value 0.
        self.empty = 0.5 * math.erfc(mean / stddev / 2.0**0.5)

    def encode(self, targets: Tensor) -> Tensor:
        z = (targets - self.mean) / self.stddev
        return 0.5 * (1.0 + ops.erf(z / 2.0**0.5))


@keras.saving.register_keras_serializable(package="jtr_keras")
class UnitVector(Codec):
    """Vectors of length 1 in space: a component `n` becomes `(n + 1) / 2`.

    Example:

    >>> codec = jtr_keras.tasks.UnitVector()
    >>> codec.encode(tf.constant([0.0, 0.0, -1.0])).numpy().tolist()
    [0.5, 0.5, 0.0]

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), code
    """

    channels = target_channels = 3
    empty = 0.5
    bounds = (-1.0, 1.0)
    quantization = Quantization("uint8", 1.0 / 127.5, -1.0)

    def encode(self, targets: Tensor) -> Tensor:
        return (targets + 1.0) / 2.0

    def project(self, values: Tensor) -> Tensor:
        return unit_vectors(values)

    def distance(self, code: Tensor, other: Tensor) -> Tensor:
        # Of unit vectors, 1 - cosine.
        return 0.5 * super().distance(code, other)
