"""The network: images in, one dense map a task out."""

from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.layers.dense_head import DenseHead
from jtr_keras.layers.pyramid_fusion import PyramidFusion
from jtr_keras.models.pyramid import feature_extractor
from jtr_keras.ops.images import check_images
from jtr_keras.ops.padding import crop_to, pad_to_multiple
from jtr_keras.ops.resizing import resize_to, to_power_of_two
from jtr_keras.tasks.task import Task
from jtr_keras.types import Config, Tensor, require_instance


@keras.saving.register_keras_serializable(package="jtr_keras")
class DensePredictor(keras.Model):
    """A backbone shared by all tasks and one head for each.

    Images of any size are padded to what the backbone accepts and the
    predictions cut back.

    Args:
        backbone: A Keras model or layer from images to features: one map of
            any resolution, or a pyramid (see `feature_extractor`). Its
            attribute `stride`, 32 if it has none, is what image sizes are
            padded to a multiple of.
        tasks: The tasks, with distinct names.
        head_filters: int. Channels inside each head and of a fused pyramid.
            Defaults to the 64 of the reference.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`.
        training: Whether batch statistics are used and updated.
        return_features: Whether to return the features shared by all heads
            too, `(batch, height / r, width / r, channels)`: of padded images,
            and resampled where they are no power of two coarser.

    Returns:
        Dict of predictions by task name, each of shape
        `(batch, height, width, task.channels)`.

    Raises:
        ValueError: If `tasks` are no list of tasks with distinct names or
            `backbone` is no layer; when called, if `images` are integers or
            of another shape.

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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _require_tasks(tasks)
        self.backbone = backbone
        self.tasks = tuple(tasks)
        self.head_filters = head_filters
        self.stride = getattr(backbone, "stride", 32)
        self.extractor = feature_extractor(backbone)
        self.fusion = PyramidFusion(head_filters, dtype=self.dtype_policy)
        self.heads = {
            task.name: DenseHead(
                head_filters,
                task.channels,
                task.initial_bias,
                dtype=self.dtype_policy,
            )
            for task in tasks
        }
        # A symbolic call builds every layer for images of any size.
        _, features = self.compute_output_spec(
            keras.KerasTensor((None, None, None, 3)), return_features=True
        )
        self.feature_channels = features.shape[-1]
        self.fusion.built = True  # Without a pyramid it has no weights.
        self.built = True

    def call(
        self,
        images: Tensor,
        training: bool | None = None,
        return_features: bool = False,
    ) -> Any:
        check_images("images", images)
        padded = pad_to_multiple(images, self.stride)
        features = self.extractor(padded, training=training)
        if isinstance(features, list | tuple):
            features = self.fusion(list(features), training=training)
        predictions = {}
        for task in self.tasks:
            logits = self.heads[task.name](features)
            logits = crop_to(resize_to(logits, padded), images)
            predictions[task.name] = task.activate(logits)
        if not return_features:
            return predictions
        if None not in (*features.shape[1:3], *padded.shape[1:3]):
            features = to_power_of_two(features, padded.shape[1:3])
        return predictions, features

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "backbone": serialize(self.backbone),
            "tasks": [serialize(task) for task in self.tasks],
            "head_filters": self.head_filters,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Any = None
    ) -> "DensePredictor":
        load = keras.saving.deserialize_keras_object
        config["backbone"] = load(config["backbone"])
        config["tasks"] = [load(task) for task in config["tasks"]]
        return cls(**config)


def _require_tasks(tasks: Any) -> None:
    is_list = isinstance(tasks, list | tuple)
    for index, task in enumerate(tasks if is_list else ()):
        require_instance(
            f"tasks[{index}]",
            task,
            Task,
            "a task, such as `jtr_keras.tasks.SurfaceNormals()`",
        )
    found = [task.name for task in tasks] if is_list else tasks
    if not is_list or not found or len(set(found)) < len(found):
        raise ValueError(
            "`tasks` must be a list of one or more, of distinct names; got "
            f"{found}."
        )
