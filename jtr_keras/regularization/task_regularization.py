"""What relates tasks or views that have no label in common."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from keras import ops

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

INPUTS = ("geometry", "features", "teacher")
"""The arguments of `call` that `required_inputs` may list."""


class TaskRegularization(StatefulLayer):
    """A loss on the predictions of all tasks, with weights of its own.

    It is called like a loss and returns named terms; the training step adds
    them, weighted, to the supervised losses and knows no strategy by name. Its
    weights train with the network, are saved with it, and are not exported.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        **inputs: What `required_inputs` lists:
            `geometry`, `(batch, views, 4)`, how each view was made from the
            first (`jtr_keras.ops.resample`);
            `features`, `(batch, views, height / r, width / r, channels)`, the
            network's features that all heads share;
            `teacher`, a dict like `y_pred` for the first `teacher_views`
            views, predicted with the average of the network's weights over
            the past steps; no gradients.

    Returns:
        Dict of scalars: the terms in `loss_weights`, not yet weighted.
    """

    num_views: int = 1
    """How many views of each image the strategy compares."""
    required_inputs: ClassVar[tuple[str, ...]] = ()
    """The further arguments of `call`, see there."""
    teacher_views: int = 1
    """How many views the teacher predicts, if there is one."""
    loss_weights: dict[str, float]
    """The terms by name and their weights in the objective."""

    def __init__(self, **kwargs: Any) -> None:
        # Losses are of precise predictions, whatever the policy.
        super().__init__(**({"autocast": False} | kwargs))

    def bind(self, tasks: Sequence[Task], feature_channels: int = 0) -> None:
        """Tells which tasks there are; called once, by the model.

        Args:
            tasks: The tasks.
            feature_channels: Channels of the network's shared features.

        Raises:
            ValueError: If a model has it already, or a subclass is not as it
                must be.
        """
        self.require_unbound()
        self.require_declarations()
        self.tasks = tuple(tasks)
        self.feature_channels = feature_channels
        self.build_for_tasks()
        self.finish_binding()

    def require_declarations(self) -> None:
        """ValueError if `loss_weights` or `required_inputs` are wrong."""
        name, weights = type(self).__name__, getattr(self, "loss_weights", None)
        if not isinstance(weights, dict):
            raise ValueError(
                f"`{name}.loss_weights` must be a dict of numbers by the "
                f"names of the terms; got {weights!r}."
            )
        inputs = self.required_inputs
        if not isinstance(inputs, list | tuple) or set(inputs) - set(INPUTS):
            raise ValueError(
                f"`{name}.required_inputs` must be a tuple of names out of "
                f"{INPUTS}; got {inputs!r}."
            )

    @abc.abstractmethod
    def build_for_tasks(self) -> None:
        """Creates the weights, once `self.tasks` are known."""

    @abc.abstractmethod
    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        *args: Any,
        **inputs: Any,
    ) -> dict[str, Tensor]:
        """The terms, by the names in `loss_weights`."""


def linear_ramp_up(steps: Any, warm_up: int) -> Tensor:
    """Share of a term's weight at this step, which it counts.

    Args:
        steps: A variable that counts the steps, begun with 0.
        warm_up: int. Steps until the share is 1; 0 for 1 at once.

    Returns:
        Scalar in `(0, 1]`.
    """
    share = ops.minimum(1.0, (steps + 1.0) / max(warm_up, 1))
    steps.assign_add(1.0)
    return share


def complete_weights(
    usual: Mapping[str, float], given: Mapping[str, float] | None
) -> dict[str, float]:
    """The usual weights of terms, but for those that are given.

    Raises:
        ValueError: If a weight of another term is given.
    """
    unknown = sorted(set(given or {}) - set(usual))
    if unknown:
        raise ValueError(
            f"`weights` must be for the terms {sorted(usual)}; got {unknown}."
        )
    return {**usual, **(given or {})}
