"""Semantic segmentation."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.ops.colour import palette
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor

VOID = -1
FLOOR = 1e-3
"""Smaller probabilities are raised to it before evidence adds to them."""


@keras.saving.register_keras_serializable(package="jtr_keras")
class SemanticSegmentation(Task):
    """The class of each pixel; ids outside of the classes are void.

    Predictions are logits. In the joint space a label is its one-hot code and
    a prediction its probabilities, or a straight-through Gumbel sample of them.

    Args:
        num_classes: int. Classes are `0` to `num_classes - 1`; void is `-1`.
        class_names: Names of the classes, for pictures and model cards.
        name: str. Defaults to `"segmentation"`.

    Raises:
        ValueError: If there are fewer than two classes, or if `class_names`
            are not as many.

    Example:

    >>> segmentation = jtr_keras.tasks.SemanticSegmentation(num_classes=2)
    >>> labels = keras.ops.zeros((1, 4, 4, 1), "int32")
    >>> logits = keras.ops.zeros((1, 4, 4, 2))
    >>> segmentation.loss(labels, logits).numpy().round(4)
    array([0.6931], dtype=float32)

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144)
    """

    target_channels = 1
    target_dtype = "int32"
    interpolation = "nearest"
    sampled = True
    headline = "miou"
    higher_is_better = True
    default_baseline = 0.5

    def __init__(
        self,
        num_classes: int,
        class_names: Sequence[str] | None = None,
        name: str = "segmentation",
    ) -> None:
        super().__init__(name)
        if num_classes < 2:
            raise ValueError(f"`num_classes` must be >= 2; got {num_classes}.")
        if class_names is not None and len(class_names) != num_classes:
            raise ValueError(
                f"`class_names` must be {num_classes} names, one a class; "
                f"got {len(class_names)}."
            )
        self.num_classes = self.channels = num_classes
        self.class_names = class_names

    def activate(self, logits: Tensor) -> Tensor:
        return logits

    def valid_mask(self, targets: Tensor) -> Tensor:
        valid = ops.logical_and(targets >= 0, targets < self.num_classes)
        return ops.cast(valid, loss_dtype())

    def placeholder(self, shape: tuple[int, ...]) -> Any:
        return np.full(shape, VOID, self.target_dtype)

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        labels = ops.cast(ops.squeeze(targets, axis=-1), "int32")
        return ops.sparse_categorical_crossentropy(
            labels, predictions, from_logits=True
        )[..., None]

    def encode(self, values: Tensor) -> Tensor:
        labels = ops.cast(ops.squeeze(values, axis=-1), "int32")
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

    def with_evidence(self, code: Tensor, evidence: Tensor) -> Tensor:
        """Evidence adds to logarithms of probabilities, as in Bayes' rule.

        What is below `FLOOR` in `code`, a denoised one may be, is raised to
        it.
        """
        return ops.softmax(ops.log(ops.maximum(code, FLOOR)) + evidence)

    def code_error(self, code: Tensor, restored: Tensor) -> Tensor:
        squares = ops.square(code - restored)
        return ops.sum(squares, axis=-1, keepdims=True)

    def restoration_error(self, code: Tensor, restored: Tensor) -> Tensor:
        """Cross-entropy over that of a blind guess, the log of the classes.

        So it is of the size of other tasks' errors.
        """
        logarithm = ops.log(ops.maximum(restored, 1e-30))
        return self._cross_entropy(code, logarithm)

    def soft_error(self, code: Tensor, predictions: Tensor) -> Tensor:
        """Cross-entropy as in `restoration_error`; `code` sums to 1."""
        logarithm = ops.log_softmax(predictions, axis=-1)
        return self._cross_entropy(code, logarithm)

    def pseudo_targets(self, predictions: Tensor) -> Tensor:
        return ops.argmax(predictions, axis=-1)[..., None]

    def confidence_mask(
        self,
        predictions: Tensor,
        others: Tensor,
        threshold: float,
        tolerance: float,
    ) -> Tensor:
        largest = ops.max(ops.softmax(predictions), axis=-1, keepdims=True)
        return ops.cast(largest >= threshold, loss_dtype())

    def quantize(self, code: Tensor, num_bins: int) -> Tensor:
        return code[..., None, :]  # The classes are the bins.

    def reconstruction_error(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        entropy = ops.binary_crossentropy(encoded, decoded, from_logits=True)
        return ops.sum(entropy, axis=-1, keepdims=True)

    def metrics(self) -> list[keras.metrics.Metric]:
        # Keras's mean leaves out classes that are in neither targets nor
        # predictions. Its default dtype, int, would truncate weights.
        return [
            keras.metrics.MeanIoU(
                self.num_classes,
                sparse_y_pred=False,
                name="miou",
                dtype="float32",
            ),
            keras.metrics.SparseCategoricalAccuracy(name="pixel_accuracy"),
        ]

    def draw(self, values: Any, predicted: bool) -> Any:
        labels = np.argmax(values, -1) if predicted else values[..., 0]
        valid = (labels >= 0) & (labels < self.num_classes)
        index = np.where(valid, labels, 0).astype(int)
        colours = palette(self.num_classes)[index]
        return np.where(valid[..., None], colours, 0).astype(np.uint8)

    def compact(self, predictions: Tensor) -> Tensor:
        labels = ops.argmax(predictions, axis=-1)[..., None]
        return ops.cast(labels, self._compact_dtype)

    def expand(self, codes: Any) -> Any:
        return np.eye(self.num_classes, dtype=np.float32)[codes[..., 0]]

    def describe(self) -> Config:
        return {
            "prediction": "logit of each class; softmax gives probabilities",
            "unit": None,
            "range": None,
            "classes": list(self.class_names or map(str, range(self.channels))),
            "colours": palette(self.num_classes).tolist(),
            "compact": {
                "dtype": self._compact_dtype,
                "unit": "number of the likeliest class, from 0",
                "scale": 1.0,
                "offset": 0.0,
            },
        }

    def check(self, targets: Any) -> str | None:
        valid = (targets >= VOID) & (targets < self.num_classes)
        valid &= targets == np.round(targets)
        if valid.all():
            return None
        found = sorted(set(np.unique(targets[~valid]).tolist()))[:5]
        return (
            f"class ids must be 0 to {self.num_classes - 1}, or -1 for void; "
            f"found {found}"
        )

    @property
    def _compact_dtype(self) -> str:
        return "uint8" if self.num_classes <= 256 else "uint16"

    def get_config(self) -> Config:
        return super().get_config() | {
            "num_classes": self.num_classes,
            "class_names": self.class_names,
        }

    def _cross_entropy(self, code: Tensor, logarithm: Tensor) -> Tensor:
        entropy = -ops.sum(code * logarithm, axis=-1, keepdims=True)
        return entropy / math.log(self.num_classes)
