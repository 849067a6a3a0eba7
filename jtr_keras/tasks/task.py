"""What a dense prediction task is."""

import abc
import math
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from jtr_keras.config import Configurable
from jtr_keras.metrics.mean_error import MeanError
from jtr_keras.ops.colour import colour_map
from jtr_keras.ops.images import require_shape
from jtr_keras.ops.masking import masked_mean
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.codec import Codec
from jtr_keras.types import Config, Tensor, require_instance


class Task(Configurable, abc.ABC):
    """One dense map that a network predicts; everything particular to it.

    A task says what is scored and how; its codec says how its values sit in the
    joint space of all tasks. Only `error` has no default. Nothing outside the
    task's file knows its name.

    A pixel is annotated or not (`valid_mask`); whether an image has the label
    at all is told by the sample weight and is none of the task's business.

    Subclasses keep their constructor's arguments as attributes of the same
    names, from which `get_config` is made.

    Args:
        name: str. Key of the task in targets, predictions and logs.
        codec: How its values are encoded.

    Raises:
        ValueError: If an argument is of another kind.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), section 3
    """

    target_dtype: ClassVar[str] = "float32"
    """Dtype in which the annotation travels."""
    void: ClassVar[float] = math.nan
    """Value of an unannotated pixel."""
    interpolation: ClassVar[str] = "bilinear"
    """How the annotation is resampled: `"nearest"` or `"bilinear"`."""
    initial_bias: float = 0.0
    """What the head's output starts around."""
    primary_metric: ClassVar[str] = "abs_err"
    """Name of the metric that stands for the task in `delta_mtl`."""
    higher_is_better: ClassVar[bool] = False
    """Whether a larger primary metric is better."""
    default_baseline: float = 0.25
    """Primary metric that counts as `delta_mtl = 0` when none is given."""
    meaning: str = "value"
    """What a prediction is, in words, for users of an exported network."""
    unit: str | None = None
    """Unit of the targets."""

    def __init__(self, name: str, codec: Codec) -> None:
        if not name or "/" in name:
            raise ValueError(
                f"`name` must be a non-empty string without '/'; got {name!r}."
            )
        example = "a codec, such as `jtr_keras.tasks.UnitInterval()`"
        require_instance("codec", codec, Codec, example)
        self.name = name
        self.codec = codec
        self.channels = codec.channels
        self.target_channels = codec.target_channels

    @abc.abstractmethod
    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Error of each pixel, `(batch, height, width, 1)`.

        `targets` have passed `zero_void`: they are finite everywhere.
        """

    def activate(self, logits: Tensor) -> Tensor:
        """From the head's output to the prediction, same shape."""
        return logits

    def valid_mask(self, targets: Tensor) -> Tensor:
        """1.0 where a pixel is annotated: `(batch, height, width, 1)`.

        By default where all channels are finite and one of them is not `void`.
        """
        valid = ops.logical_and(
            ops.any(targets != self.void, axis=-1, keepdims=True),
            ops.all(ops.isfinite(targets), axis=-1, keepdims=True),
        )
        return ops.cast(valid, loss_dtype())

    def zero_void(self, targets: Tensor) -> Tensor:
        """Targets with 0 in place of what is not annotated."""
        valid = self.valid_mask(targets) > 0
        return ops.where(valid, targets, ops.zeros_like(targets))

    def loss(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Mean error over annotated pixels, `(batch,)`; 0 without any."""
        error = self.error(self.zero_void(targets), predictions)
        mask = self.valid_mask(targets)
        # Another shape would be broadcast, and the loss another one.
        require_shape(f"{type(self).__name__}.error", error, tuple(mask.shape))
        return masked_mean(error, mask)

    def metrics(self) -> list[keras.metrics.Metric]:
        """New metrics of `(targets, codec.values(predictions))`.

        Their `sample_weight` is `(batch, height, width)`, 0 for void pixels.
        """
        return [
            MeanError("absolute", name="abs_err"),
            MeanError("absolute", root=True, name="rmse"),
        ]

    def to_rgb(self, targets: Any) -> Any:
        """Colours of targets that have passed `zero_void`.

        Args:
            targets: Array of shape `(height, width, target_channels)`.

        Returns:
            Array of shape `(height, width, 3)`, uint8.
        """
        code = ops.convert_to_numpy(self.codec.encode(targets))
        return colour_map(code.mean(axis=-1))

    def describe(self) -> Config:
        """What a user of the exported network has to know, fit for JSON.

        Returns:
            Dict with `prediction` (what a value is), `unit`, and `range`
            (smallest and largest value, or None without bounds).
        """
        bounds = self.codec.prediction_bounds
        return {
            "prediction": self.meaning,
            "unit": self.unit,
            "range": bounds and list(bounds),
        }

    def rescale(self, targets: Tensor, zoom: Tensor) -> Tensor:
        """Targets after the image was enlarged by `zoom`, a float32 scalar."""
        return targets

    def flip(self, targets: Tensor) -> Tensor:
        """Values of targets whose image was mirrored left to right."""
        return targets

    def check(self, targets: Any) -> str | None:
        """What is wrong with an annotation as stored, or None.

        By default, that a finite value is neither within the codec's bounds
        nor void.
        """
        if self.codec.bounds is None:
            return None
        least, most = self.codec.bounds
        found = targets[np.isfinite(targets) & (targets != self.void)]
        if np.all((found >= least) & (found <= most)):
            return None
        void = "NaN" if math.isnan(self.void) else f"{self.void:g}"
        return (
            f"values must lie in [{least}, {most}], or be {void} where "
            f"missing; found {found.min():g} to {found.max():g}"
        )
