"""What an interaction of tasks is."""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from jtr_keras.layers.stateful_layer import StatefulLayer
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


class Features(NamedTuple):
    """What heads, losses and regularizations get.

    Args:
        by_task: Features of each task, `(batch, height / r, width / r,
            channels)`, `r` of its own.
        shared: Features in which all tasks have a part, which regularizations
            may ask for.
        auxiliary: By the names in `Interaction.auxiliary_weights`, logits of
            every task, `(batch, height / r, width / r, task.channels)`.
    """

    by_task: TensorDict
    shared: Tensor
    auxiliary: dict[str, TensorDict] = {}


class Interaction(StatefulLayer):
    """From the maps of a backbone to the features of each task.

    An interaction belongs to one network, which binds it to the tasks and tells
    what the maps are. Its weights are part of the network, and exported.

    Call arguments:
        inputs: List of maps from the finest to the coarsest, `(batch,
            height / stride, width / stride, channels)`. With `encoder_side`,
            images `(batch, height, width, 3)`.
        training: Whether batch statistics are used and updated.
        backbone: With `encoder_side` alone: the `jtr_keras.models.Pyramid`
            whose `stages` it runs itself, and whose `decode` makes the maps of
            what they return.
        labelled: With `uses_labels` alone: dict of weights by task,
            `(batch,)`, 0 without a label; None but in training.

    Returns:
        `Features`.
    """

    encoder_side: ClassVar[bool] = False
    """Whether it runs the stages of the backbone itself."""
    uses_labels: ClassVar[bool] = False
    """Whether it is told in training which images have which label."""
    auxiliary_weights: dict[str, float] = {}
    """Further predictions of every task that it makes, and their weights.

    They are supervised as the heads' predictions are.
    """

    def bind(
        self,
        tasks: Sequence[Task],
        channels: Sequence[int],
        strides: Sequence[int],
        decoded: bool = False,
        backbone: Any = None,
    ) -> None:
        """Tells what there is; called once, by the network.

        Args:
            tasks: The tasks.
            channels: Channels of each map.
            strides: How much coarser each map is than the images.
            decoded: Whether the finest map has all others in it, as that of a
                decoder has.
            backbone: The network's `jtr_keras.models.Pyramid`, for interactions
                that are `encoder_side`.

        Raises:
            ValueError: If a network has it already.
        """
        self.require_unbound()
        self.tasks = tuple(tasks)
        self.channels = tuple(channels)
        self.strides = tuple(strides)
        self.decoded = decoded
        self.build_for_tasks()
        if self.encoder_side:
            self.build_for_backbone(backbone)
        # Else Keras saves shapes, with which it builds it when it is loaded,
        # before it is bound; what is built takes no new layers.
        self.built = True

    def build_for_tasks(self) -> None:
        """Creates layers and weights, once `self.tasks` are known.

        Layers need not be built: the network calls the interaction once.
        """

    def build_for_backbone(self, backbone: Any) -> None:
        """Creates what is needed of the backbone, such as copies of it.

        Args:
            backbone: As in a call.
        """

    @abc.abstractmethod
    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Features:
        """The features of each task."""
