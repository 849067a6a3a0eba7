"""What a dense prediction task is."""

import abc
from typing import Any, ClassVar

import keras
from keras import ops

from jtr_keras.ops.masking import masked_mean
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.types import Config, Tensor


class Task(abc.ABC):
    """One dense map that a network predicts; everything particular to it.

    The library asks a task how its prediction is scored, how it enters the
    joint space of all tasks, how its annotation moves with the image, and how
    it is drawn. Nothing outside the task's file knows its name.

    A pixel is annotated or not (`valid_mask`); whether an image has the label
    at all is told by the sample weight and is none of the task's business.

    Args:
        name: str. Key of the task in targets, predictions and logs.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976), section 3
    """

    channels: int
    """Channels of the prediction and of the code in the joint space."""
    target_channels: int
    """Channels of the annotation."""
    target_dtype: ClassVar[str] = "float32"
    """Dtype in which the annotation travels."""
    interpolation: ClassVar[str] = "bilinear"
    """How the annotation is resampled: `"nearest"` or `"bilinear"`."""
    sampled: ClassVar[bool] = False
    """Whether a prediction can enter the joint space as a random sample."""
    similarity_offset: ClassVar[float] = 0.0
    """`c` where the error is `c - similarity`, else 0 (`spec/jtr.md`, 4.8)."""
    empty_code: float = 0.0
    """What an unannotated pixel is in every channel of the joint space."""
    initial_bias: float = 0.0
    """What the head's output starts around."""
    headline: ClassVar[str]
    """Name of the metric that stands for the task in `delta_mtl`."""
    higher_is_better: ClassVar[bool] = False
    """Whether a larger headline metric is better."""
    default_baseline: float
    """Headline value that counts as `delta_mtl = 0` when none is given."""

    def __init__(self, name: str) -> None:
        if not name or "/" in name:
            raise ValueError(
                f"`name` must be a non-empty string without '/'; got {name!r}."
            )
        self.name = name

    @abc.abstractmethod
    def activate(self, logits: Tensor) -> Tensor:
        """From the head's output to the prediction, same shape."""

    @abc.abstractmethod
    def valid_mask(self, targets: Tensor) -> Tensor:
        """1.0 where a pixel is annotated: `(batch, height, width, 1)`."""

    @abc.abstractmethod
    def placeholder(self, shape: tuple[int, ...]) -> Any:
        """A NumPy array of `shape` in which no pixel is annotated."""

    @abc.abstractmethod
    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Error of each pixel, `(batch, height, width, 1)`.

        `targets` have passed `clean`: they are finite everywhere.
        """

    @abc.abstractmethod
    def encode(self, values: Tensor) -> Tensor:
        """Code of cleaned targets in the joint space, in `[0, 1]`.

        Differentiable, `channels` deep. Predictions have the same code unless
        `encode_predictions` says otherwise.
        """

    @abc.abstractmethod
    def reconstruction_error(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Error of each pixel of the autoencoder's output `decoded`.

        Both have `channels` channels; `decoded` are raw outputs (logits).
        Returns shape `(batch, height, width, 1)`.
        """

    @abc.abstractmethod
    def metrics(self) -> list[keras.metrics.Metric]:
        """New metrics of `(targets, predictions, sample_weight)`.

        Their `sample_weight` is `(batch, height, width)`, 0 for void pixels.
        """

    @abc.abstractmethod
    def draw(self, values: Any, predicted: bool) -> Any:
        """Targets or predictions as colours.

        Args:
            values: Array of shape `(height, width, channels)`.
            predicted: Whether these are predictions or targets.

        Returns:
            Array of shape `(height, width, 3)`, uint8; void pixels are black.
        """

    @abc.abstractmethod
    def compact(self, predictions: Tensor) -> Tensor:
        """Predictions as small integers, for answers over a network.

        Returns shape `(batch, height, width, any)`, uint8 or uint16.
        """

    @abc.abstractmethod
    def expand(self, codes: Any) -> Any:
        """Predictions again, a float32 array, from what `compact` gave.

        What the code did not keep is lost: `draw` shows the same picture, up
        to rounding.
        """

    @abc.abstractmethod
    def describe(self) -> Config:
        """What a user of the exported network has to know, fit for JSON.

        Returns:
            Dict with `prediction` (what a value is), `unit`, `range` (smallest
            and largest value, or None without bounds), and `compact`: `dtype`,
            `unit`, `scale` and `offset`, with which
            `value = offset + scale * code`.
        """

    def loss(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Mean error over annotated pixels, `(batch,)`; 0 without any."""
        mask = self.valid_mask(targets)
        return masked_mean(self.error(self.clean(targets), predictions), mask)

    def clean(self, targets: Tensor) -> Tensor:
        """Targets with 0 in place of what is not annotated."""
        valid = self.valid_mask(targets) > 0
        return ops.where(valid, targets, ops.zeros_like(targets))

    def encode_targets(self, targets: Tensor) -> Tensor:
        """Code of targets as they come; `empty_code` at void pixels."""
        code = self.encode(self.clean(targets))
        empty = ops.full_like(code, self.empty_code)
        return ops.where(self.valid_mask(targets) > 0, code, empty)

    def encode_predictions(
        self, predictions: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Code of predictions, `(batch, height, width, channels)`.

        `noise`, given to tasks that are `sampled`, is Gumbel noise of the
        predictions' shape; the code is then a random sample.
        """
        return self.encode(predictions)

    def with_evidence(self, code: Tensor, evidence: Tensor) -> Tensor:
        """A code moved by evidence of its shape, any finite numbers.

        0 keeps a code of predictions. By default their sum; where that is no
        code, such as probabilities, override it.
        """
        return code + evidence

    def code_error(self, code: Tensor, restored: Tensor) -> Tensor:
        """Squared difference of two codes, `(batch, height, width, 1)`.

        Codes from 0 to 1 count as values from -1 to 1.
        """
        squares = ops.square(code - restored)
        return 4.0 * ops.sum(squares, axis=-1, keepdims=True)

    def restoration_error(self, code: Tensor, restored: Tensor) -> Tensor:
        """Error of a code with evidence, `(batch, height, width, 1)`.

        By default the `code_error`.
        """
        return self.code_error(code, restored)

    def soft_error(self, code: Tensor, predictions: Tensor) -> Tensor:
        """Error of predictions where `code` is a guess of their code.

        A guess may be a mean of many codes. By default their `code_error`.

        Returns shape `(batch, height, width, 1)`.
        """
        return self.code_error(code, self.encode_predictions(predictions))

    def pseudo_targets(self, predictions: Tensor) -> Tensor:
        """Targets that say what predictions say; by default, themselves."""
        return predictions

    def confidence_mask(
        self,
        predictions: Tensor,
        others: Tensor,
        threshold: float,
        tolerance: float,
    ) -> Tensor:
        """1.0 where predictions are good enough to learn from.

        By default, where every channel of their code differs by at most
        `tolerance` from that of `others`, a second prediction of the same
        pixels. Tasks that predict probabilities ask for `threshold` instead.

        Returns shape `(batch, height, width, 1)`.
        """
        difference = ops.abs(
            self.encode_predictions(predictions)
            - self.encode_predictions(others)
        )
        agreed = ops.all(difference <= tolerance, axis=-1, keepdims=True)
        return ops.cast(agreed, loss_dtype())

    def quantize(self, code: Tensor, num_bins: int) -> Tensor:
        """Soft assignment of codes to bins, `(..., groups, bins)`.

        It sums to 1 over the bins. By default every channel is a group, its
        bins are spread evenly over `[0, 1]`, and the share of one that is `n`
        spacings away from the code is proportional to `exp(-n**2)`.
        """
        centres = ops.arange(num_bins, dtype=code.dtype) / (num_bins - 1)
        spacings = (code[..., None] - centres) * (num_bins - 1)
        return ops.softmax(-ops.square(spacings))

    def relative_targets(self, targets: Tensor) -> Tensor:
        """Code of targets where no statistics of the data set may enter.

        Override it and `relative_predictions` together where `encode` uses
        such; by default, the code in the joint space.
        """
        return self.encode_targets(targets)

    def relative_predictions(
        self, predictions: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Code of predictions that belongs to `relative_targets`."""
        return self.encode_predictions(predictions, noise)

    def renormalize(self, targets: Tensor) -> Tensor:
        """Repairs targets after interpolation; by default, they need none."""
        return targets

    def rescale(self, targets: Tensor, zoom: Tensor) -> Tensor:
        """Targets after the image was enlarged by `zoom`, a float32 scalar."""
        return targets

    def flip(self, targets: Tensor) -> Tensor:
        """Values of targets whose image was mirrored left to right."""
        return targets

    def check(self, targets: Any) -> str | None:
        """What is wrong with an annotation as stored, or None."""
        return None

    def get_config(self) -> Config:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Config) -> "Task":
        return cls(**config)
