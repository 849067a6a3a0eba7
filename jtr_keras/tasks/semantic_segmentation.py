"""Semantic segmentation."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from jtr_keras.ops.colour import palette
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.tasks.codec import Categorical
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor


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

    target_dtype = "int32"
    void = -1
    interpolation = "nearest"
    primary_metric = "miou"
    higher_is_better = True
    default_baseline = 0.5
    meaning = "logit of each class; softmax gives probabilities"

    def __init__(
        self,
        num_classes: int,
        class_names: Sequence[str] | None = None,
        name: str = "segmentation",
    ) -> None:
        if num_classes < 2:
            raise ValueError(f"`num_classes` must be >= 2; got {num_classes}.")
        if class_names is not None and len(class_names) != num_classes:
            raise ValueError(
                f"`class_names` must be {num_classes} names, one a class; "
                f"got {len(class_names)}."
            )
        super().__init__(name, Categorical(num_classes))
        self.num_classes = num_classes
        self.class_names = class_names

    def valid_mask(self, targets: Tensor) -> Tensor:
        valid = ops.logical_and(targets >= 0, targets < self.num_classes)
        return ops.cast(valid, loss_dtype())

    def error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        labels = ops.cast(ops.squeeze(targets, axis=-1), "int32")
        return ops.sparse_categorical_crossentropy(
            labels, predictions, from_logits=True
        )[..., None]

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

    def to_rgb(self, targets: Any) -> Any:
        labels = np.asarray(targets)[..., 0].astype(int)
        return palette(self.num_classes)[labels]

    def describe(self) -> Config:
        names = self.class_names or map(str, range(self.num_classes))
        return super().describe() | {
            "classes": list(names),
            "colours": palette(self.num_classes).tolist(),
        }

    def check(self, targets: Any) -> str | None:
        valid = (targets >= self.void) & (targets < self.num_classes)
        valid &= targets == np.round(targets)
        if valid.all():
            return None
        found = sorted(set(np.unique(targets[~valid]).tolist()))[:5]
        return (
            f"class ids must be 0 to {self.num_classes - 1}, or -1 for void; "
            f"found {found}"
        )
