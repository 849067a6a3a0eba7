"""The model that users compile, fit, evaluate, save and export."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.export.formats import export_file
from jtr_keras.export.publishing import PathLike
from jtr_keras.export.saved_model import export_saved_model
from jtr_keras.export.signatures import DEFAULT_SIZE
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.regularization.composition import Composition
from jtr_keras.tasks.task import Task
from jtr_keras.training.arguments import require_parts, require_size
from jtr_keras.training.multi_task_trainer import MultiTaskTrainer
from jtr_keras.training.teacher import Teacher
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class MultiTaskModel(MultiTaskTrainer):
    """Predicts dense maps of several tasks; trains on partly labelled images.

    `fit`, `evaluate`, `predict`, `save` and `export` are Keras's own. Data are
    `(x, y, sample_weight)`: float images in `[0, 1]`, and for every task the
    targets, a placeholder where an image has no label, and weights of shape
    `(batch,)`, 0 where it has none. For training, images and targets may carry
    a view axis behind the batch axis.

    Args:
        backbone: A Keras model or layer from images to features; see
            `jtr_keras.models.DensePredictor`.
        tasks: The tasks, with distinct names.
        regularization: What relates tasks or views without labels in common,
            or a list of such, or None for supervised training alone.
        head_filters: int. Channels inside each head. Defaults to 64.
        supervised_views: int. How many views of an image count for the
            supervised losses, from the first on.
        teacher_momentum: float. Momentum of the teacher's averages, where the
            regularization has one.
        balancing: What weighs the supervised losses in training, or None for
            equal weights. Validation losses are not weighted.
        image_size: Height and width that the network is meant for. Defaults to
            those of the first images that it is trained on.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`, of any size.
        training: Whether batch statistics are used and updated.

    Returns:
        Dict of predictions by task name, each of shape
        `(batch, height, width, task.channels)`.

    Raises:
        ValueError: If an argument is of another kind, or `regularization` or
            `balancing` belong to another model.

    Example:

    >>> model = jtr_keras.MultiTaskModel(
    ...     jtr_keras.models.UNet(widths=(4, 8)),
    ...     [jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)],
    ... )
    >>> model.compile(optimizer="adam")
    >>> x = np.zeros((2, 8, 8, 3), "float32")
    >>> history = model.fit(x, {"depth": x[..., :1] + 1.0}, verbose=0)
    >>> sorted(history.history)
    ['depth_loss', 'loss']

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        tasks: Sequence[Task],
        regularization: Any = None,
        head_filters: int = 64,
        supervised_views: int = 1,
        teacher_momentum: float = 0.99,
        balancing: Balancing | None = None,
        image_size: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(regularization, list | tuple):
            regularization = Composition(regularization)
        require_parts(regularization, balancing, supervised_views)
        require_size(image_size)
        self.predictor = DensePredictor(
            backbone, tasks, head_filters, dtype=self.dtype_policy
        )
        self.tasks = tuple(tasks)
        self.regularization = regularization
        self.supervised_views = supervised_views
        self.teacher_momentum = teacher_momentum
        self.teacher = None
        if regularization is not None:
            regularization.bind(tasks, self.predictor.feature_channels)
            if "teacher" in regularization.needs:
                self.teacher = Teacher(teacher_momentum)
                self.teacher.build_for(self.predictor)
        self.balancing = balancing
        if balancing is not None:
            balancing.bind(tasks)
        self.image_size = image_size
        self.built = True

    def call(self, images: Tensor, training: bool | None = None) -> TensorDict:
        return self.predictor(images, training=training)

    def export(
        self,
        filepath: PathLike,
        format: str = "tf_saved_model",
        image_size: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> pathlib.Path:
        """Exports the predictor alone; overwrites nothing.

        Args:
            filepath: For a SavedModel, `NAME` for its next free version, or
                `NAME/VERSION`; else a file.
            format: A name that Keras uses: `"tf_saved_model"`, or one of
                `jtr_keras.export.FORMATS`.
            image_size: Height and width that encoded images are resized to.
                Defaults to the model's, or `(256, 256)` where it has none.
            **kwargs: Arguments of `jtr_keras.export.export_saved_model`, such
                as `metrics`, or of Keras's exporter.

        Returns:
            The folder or file.
        """
        require_size(image_size)
        height, width = image_size or self.image_size or DEFAULT_SIZE
        size = (height, width)
        if format != "tf_saved_model":
            return export_file(
                self.predictor, filepath, format, size, **kwargs
            )[0]
        training = self._settings() | (kwargs.pop("training", None) or {})
        return export_saved_model(
            self.predictor, filepath, size, training, **kwargs
        )

    def get_config(self) -> Config:
        config = self.predictor.get_config()
        names = ("backbone", "tasks", "head_filters")
        return (
            super().get_config()
            | {name: config[name] for name in names}
            | {
                "regularization": keras.saving.serialize_keras_object(
                    self.regularization
                ),
                "supervised_views": self.supervised_views,
                "teacher_momentum": self.teacher_momentum,
                "balancing": keras.saving.serialize_keras_object(
                    self.balancing
                ),
                "image_size": self.image_size and list(self.image_size),
            }
        )

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Any = None
    ) -> "MultiTaskModel":
        load = keras.saving.deserialize_keras_object
        config["backbone"] = load(config["backbone"])
        config["tasks"] = [load(task) for task in config["tasks"]]
        config["regularization"] = load(config["regularization"])
        config["balancing"] = load(config.get("balancing"))
        return cls(**config)

    def _settings(self) -> Config:
        """How the model is trained, as far as it knows."""
        config = self.get_config()
        names = (
            *("regularization", "balancing"),
            *("supervised_views", "teacher_momentum"),
        )
        settings = {name: config[name] for name in names}
        if self.compiled:
            settings["optimizer"] = keras.saving.serialize_keras_object(
                self.optimizer
            )
        return settings
