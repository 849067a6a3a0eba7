"""Several regularizations at once."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.types import Config, Tensor, TensorDict, require_instance

A_REGULARIZATION = (
    "a regularization, such as `jtr_keras.JointTaskRegularization()`"
)


@keras.saving.register_keras_serializable(package="jtr_keras")
class Composition(TaskRegularization):
    """The terms of all of its parts; what a list given to a model becomes.

    Args:
        parts: Regularizations with distinct names of their terms.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        **inputs: What the parts require.

    Returns:
        Dict of the parts' terms.

    Raises:
        ValueError: If two parts have a term of the same name.

    Example:

    >>> both = jtr_keras.regularization.Composition(
    ...     [jtr_keras.JointTaskRegularization(),
    ...      jtr_keras.regularization.ViewConsistency()])
    >>> sorted(both.loss_weights)[-1]
    'view_consistency'
    """

    def __init__(
        self, parts: Sequence[TaskRegularization], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.parts = list(parts)
        self.loss_weights: dict[str, float] = {}
        for index, part in enumerate(self.parts):
            require_instance(
                f"parts[{index}]", part, TaskRegularization, A_REGULARIZATION
            )
            part.require_declarations()
            twice = sorted(set(self.loss_weights) & set(part.loss_weights))
            if twice:
                raise ValueError(
                    f"`parts` must have terms of distinct names; got {twice} "
                    "twice."
                )
            self.loss_weights |= part.loss_weights
        self.num_views = max((part.num_views for part in parts), default=1)
        teachers = [p for p in self.parts if "teacher" in p.required_inputs]
        self.teacher_views = max((t.teacher_views for t in teachers), default=1)

    @property
    def required_inputs(self) -> tuple[str, ...]:  # type: ignore[override]
        names = [name for p in self.parts for name in p.required_inputs]
        return tuple(dict.fromkeys(names))

    def build_for_tasks(self) -> None:
        for part in self.parts:
            part.bind(self.tasks, self.feature_channels)

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        **inputs: Any,
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for part in self.parts:
            own = {name: inputs[name] for name in part.required_inputs}
            losses |= part(y_true, y_pred, labelled, **own)
        return losses

    def get_config(self) -> Config:
        parts = [keras.saving.serialize_keras_object(p) for p in self.parts]
        return super().get_config() | {"parts": parts}

    @classmethod
    def from_config(cls, config: Config) -> "Composition":
        load = keras.saving.deserialize_keras_object
        return cls(**(config | {"parts": [load(p) for p in config["parts"]]}))
