"""The network: images in, one dense map a task out."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

from jtr_keras.interaction.interaction import Features, Interaction
from jtr_keras.interaction.shared_features import SharedFeatures
from jtr_keras.layers.dense_head import DenseHead
from jtr_keras.models.pyramid import Pyramid, output_spec
from jtr_keras.ops.images import check_images, require_shape
from jtr_keras.ops.padding import crop_to, pad_to_multiple
from jtr_keras.ops.resizing import resize_to, to_power_of_two
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, TensorDict, require_instance


class Outputs(NamedTuple):
    """What training sees of a network.

    Args:
        predictions: By task, `(batch, height, width, task.channels)`.
        features: Those in which all tasks have a part, `(batch, height / r,
            width / r, channels)`: of padded images, and resampled where they
            are no power of two coarser.
        auxiliary: Further predictions, by the names that the interaction gives
            them, then by task.
    """

    predictions: TensorDict
    features: Tensor
    auxiliary: dict[str, TensorDict]


@keras.saving.register_keras_serializable(package="jtr_keras")
class DensePredictor(keras.Model):
    """A backbone shared by all tasks, what they exchange, and their heads.

    Images of any size are padded to what the backbone accepts and the
    predictions cut back.

    Args:
        backbone: A Keras model or layer from images to features: one map of
            any resolution, several in a list or dict, or tokens (see
            `jtr_keras.models.Pyramid`). Its attribute `size_divisor`, 32 if it
            has none, is what image sizes are padded to a multiple of.
        tasks: The tasks, with distinct names.
        head_filters: int. Channels inside each head and of a fused pyramid.
            Defaults to the 64 of the reference.
        interaction: How tasks exchange features; None for
            `jtr_keras.interaction.SharedFeatures(head_filters)`.
        make_head: From a task to the layer that makes its logits of its
            features; a function that is registered with Keras, so that it can
            be saved. None for `jtr_keras.layers.DenseHead`.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`.
        training: Whether batch statistics are used and updated.

    Returns:
        Dict of predictions by task name, each of shape
        `(batch, height, width, task.channels)`.

    Raises:
        ValueError: If `tasks` are no list of tasks with distinct names, or
            `backbone`, `interaction` or a head are of another kind; when
            called, if `images` are integers or of another shape.

    Example:

    >>> predictor = jtr_keras.models.DensePredictor(
    ...     jtr_keras.models.UNet(widths=(4, 8)),
    ...     [jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)],
    ... )
    >>> predictor(tf.ones((1, 15, 9, 3)))["depth"].shape
    TensorShape([1, 15, 9, 1])
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        tasks: Sequence[Task],
        head_filters: int = 64,
        interaction: Interaction | None = None,
        make_head: Callable[[Task], keras.layers.Layer] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _require_tasks(tasks)
        self.tasks = tuple(tasks)
        self.head_filters = head_filters
        self.make_head = make_head
        policy = self.dtype_policy
        self.pyramid = Pyramid(backbone, dtype=policy)
        if interaction is None:
            interaction = SharedFeatures(head_filters, dtype=policy)
        require_instance(
            "interaction",
            interaction,
            Interaction,
            "an interaction, such as `jtr_keras.interaction.SharedFeatures()`",
        )
        self.interaction = interaction
        interaction.bind(
            self.tasks,
            self.pyramid.channels,
            self.pyramid.strides,
            self.pyramid.decoded,
            self.pyramid,
        )
        self.heads = {task.name: self._head(task) for task in tasks}
        # A symbolic call builds every layer for images of any size.
        spec = output_spec(self.outputs, (None, None, None, 3))
        interaction.require_built_parts()
        self.feature_channels = spec.features.shape[-1]
        self.built = True

    @property
    def backbone(self) -> keras.layers.Layer:
        """The backbone as it was given."""
        return self.pyramid.backbone

    @property
    def size_divisor(self) -> int:
        """What image sizes are padded to a multiple of."""
        return self.pyramid.size_divisor

    def call(self, images: Tensor, training: bool | None = None) -> TensorDict:
        return self.outputs(images, training).predictions

    def outputs(
        self,
        images: Tensor,
        training: bool | None = None,
        labelled: TensorDict | None = None,
    ) -> Outputs:
        """What training sees.

        Args:
            images: As for a call.
            training: As for a call.
            labelled: Dict of weights by task, `(batch,)`, 0 without a label;
                for interactions that use it.
        """
        check_images("images", images)
        padded = pad_to_multiple(images, self.size_divisor)
        features = self._interact(padded, training, labelled)

        def predict(argument: str, logits: TensorDict) -> TensorDict:
            _require_channels(argument, logits, self.tasks)
            return {
                task.name: task.activate(
                    crop_to(resize_to(logits[task.name], padded), images)
                )
                for task in self.tasks
            }

        logits = {
            name: head(features.by_task[name], training=training)
            for name, head in self.heads.items()
        }
        auxiliary = {
            name: predict(f"interaction.call(...).auxiliary[{name!r}]", value)
            for name, value in features.auxiliary.items()
        }
        shared = features.shared
        if None not in (*shared.shape[1:3], *padded.shape[1:3]):
            shared = to_power_of_two(shared, padded.shape[1:3])
        return Outputs(predict("make_head", logits), shared, auxiliary)

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "backbone": serialize(self.backbone),
            "tasks": [serialize(task) for task in self.tasks],
            "head_filters": self.head_filters,
            "interaction": serialize(self.interaction),
            "make_head": serialize(self.make_head),
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Any = None
    ) -> "DensePredictor":
        load = keras.saving.deserialize_keras_object
        return cls(**load(config, custom_objects))

    def _interact(
        self,
        images: Tensor,
        training: bool | None,
        labelled: TensorDict | None,
    ) -> Features:
        interaction, inputs = self.interaction, images
        further: dict[str, Any] = {}
        if interaction.encoder_side:
            further["backbone"] = self.pyramid
        else:
            inputs = self.pyramid(images, training=training)
        if interaction.uses_labels:
            further["labelled"] = labelled
        features: Features = interaction(inputs, training=training, **further)
        _require_features(interaction, features, self.tasks)
        return features

    def _head(self, task: Task) -> keras.layers.Layer:
        if self.make_head is None:
            return DenseHead(
                self.head_filters,
                task.channels,
                task.initial_bias,
                dtype=self.dtype_policy,
            )
        head = self.make_head(task)
        require_instance(
            "make_head",
            head,
            keras.layers.Layer,
            f"a function that returns a new Keras layer for {task!r}",
        )
        return head


def _require_tasks(tasks: Any) -> None:
    is_list = isinstance(tasks, list | tuple)
    for index, task in enumerate(tasks if is_list else ()):
        require_instance(
            f"tasks[{index}]",
            task,
            Task,
            "a task, such as `jtr_keras.tasks.SurfaceNormals()`",
        )
        if not hasattr(task, "codec"):
            raise ValueError(
                f"`{type(task).__name__}.__init__` must call "
                "`super().__init__(name, codec)`."
            )
    found = [task.name for task in tasks] if is_list else tasks
    if not is_list or not found or len(set(found)) < len(found):
        raise ValueError(
            "`tasks` must be a list of one or more, of distinct names; got "
            f"{found}."
        )


def _require_features(
    interaction: Interaction, features: Features, tasks: Sequence[Task]
) -> None:
    names, kind = [task.name for task in tasks], type(interaction).__name__
    whole = isinstance(features, Features)
    if not whole or not isinstance(features.by_task, dict):
        raise ValueError(
            f"`{kind}.call` must return `jtr_keras.interaction.Features("
            f"by_task, shared)` with a dict of the tasks {names}; got "
            f"{type(features).__name__}."
        )
    if sorted(features.by_task) != sorted(names):
        raise ValueError(
            f"`{kind}.call` must return features of the tasks {names}; got "
            f"{list(features.by_task)}."
        )
    expected = list(interaction.auxiliary_weights)
    if sorted(features.auxiliary) != sorted(expected):
        raise ValueError(
            f"`{kind}.call` must return the auxiliary logits that its "
            f"`auxiliary_weights` name, {expected}, in training or not; got "
            f"{list(features.auxiliary)}."
        )
    for name, maps in (features.by_task | {"shared": features.shared}).items():
        require_shape(f"{kind}.call, for {name!r},", maps, (None,) * 4)


def _require_channels(
    argument: str, logits: TensorDict, tasks: Sequence[Task]
) -> None:
    expected = {task.name: task.channels for task in tasks}
    found = {name: value.shape[-1] for name, value in logits.items()}
    if found != expected:
        raise ValueError(
            f"`{argument}` must make logits of {expected} channels; got "
            f"{found}."
        )
