"""What the joint space is used for, one way a subclass."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


@dataclasses.dataclass(frozen=True)
class Sizes:
    """What users may say of the network; None for what is usual."""

    widths: Sequence[int] | None
    num_convs: Sequence[int] | None
    stride: int
    dtype: Any


@dataclasses.dataclass(frozen=True)
class Batch:
    """What a step knows; see `JointTaskRegularization`."""

    y_true: TensorDict
    y_pred: TensorDict
    labelled: TensorDict
    noise: TensorDict
    extras: dict[str, Any]


class JointObjective(abc.ABC):
    """The terms of Joint-Task Regularization, as functions of its weights.

    It has no state: weights, averages and random numbers are those of the
    layer and its network, which it is given.
    """

    num_views: ClassVar[int]
    """How many views of each image it needs."""
    needs: ClassVar[tuple[str, ...]] = ()
    """See `TaskRegularization.needs`."""
    weights: ClassVar[dict[str, float]]
    """The terms and their usual weights."""
    stride: ClassVar[int] = 1
    """How much coarser stacks usually are than images."""
    warm_up: ClassVar[int] = 0
    """Steps in which what trains the network usually grows from 0."""

    @abc.abstractmethod
    def network(
        self, tasks: Sequence[Task], sizes: Sizes
    ) -> keras.layers.Layer:
        """The autoencoder or restorer of joint stacks, built.

        Raises:
            ValueError: If the sizes do not fit together.
        """

    @abc.abstractmethod
    def draw(
        self,
        tasks: Sequence[Task],
        y_pred: TensorDict,
        seed: keras.random.SeedGenerator,
    ) -> TensorDict:
        """The random numbers of a step."""

    @abc.abstractmethod
    def per_image(
        self, network: Any, tasks: Sequence[Task], batch: Batch
    ) -> dict[str, Tensor]:
        """The terms of each image, `(batch,)`, by the names in `weights`.

        Beside them, what `remember` needs.
        """

    def remember(  # noqa: B027 - a hook.
        self, network: Any, losses: TensorDict
    ) -> None:
        """Keeps in the network's state what later steps need of this one.

        By default nothing.

        Args:
            network: What `network` returned.
            losses: What `per_image` returned.
        """
