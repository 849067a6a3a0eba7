"""What the joint space is used for, one way a subclass."""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


class JointObjective(abc.ABC):
    """The terms of Joint-Task Regularization, as functions of its weights.

    It has no state: weights and random numbers are those of the layer, which
    passes them on.
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
        self,
        tasks: Sequence[Task],
        widths: Sequence[int] | None,
        num_convs: Sequence[int] | None,
        stride: int,
        dtype: Any,
    ) -> keras.layers.Layer:
        """The autoencoder of joint stacks, built; None for usual sizes.

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
        self,
        network: Any,
        tasks: Sequence[Task],
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict,
        **extras: Any,
    ) -> dict[str, Tensor]:
        """The terms of each image, `(batch,)`, by the names in `weights`."""
