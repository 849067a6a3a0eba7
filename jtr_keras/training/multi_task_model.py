"""The model that users compile, fit, evaluate, save and export."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.export.formats import export_file
from jtr_keras.export.publishing import PathLike
from jtr_keras.export.saved_model import export_saved_model
from jtr_keras.export.signatures import DEFAULT_SIZE
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.regularization.composition import Composition
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.tasks.task import Task
from jtr_keras.training.batches import fold_views, unfold_views, unpack
from jtr_keras.training.compilation import (
    choose_compilation,
    synchronize_batch_statistics,
)
from jtr_keras.training.epoch_synchronization import EpochSynchronization
from jtr_keras.training.extras import collect_extras, require_views
from jtr_keras.training.objective import (
    supervised_losses,
    task_weights,
    total_loss,
)
from jtr_keras.training.scoring import Scoring
from jtr_keras.training.teacher import Teacher
from jtr_keras.training.tracking import means, track
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class MultiTaskModel(keras.Model):
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
        self.predictor = DensePredictor(
            backbone, tasks, head_filters, dtype=self.dtype_policy
        )
        self.tasks = tuple(tasks)
        self.regularization: TaskRegularization | None = regularization
        self.supervised_views = supervised_views
        self.teacher_momentum = teacher_momentum
        self.teacher: Teacher | None = None
        if regularization is not None:
            regularization.bind(tasks, self.predictor.feature_channels)
            if "teacher" in regularization.needs:
                self.teacher = Teacher(teacher_momentum)
                self.teacher.build_for(self.predictor)
        self.balancing = balancing
        if balancing is not None:
            balancing.bind(tasks)
        self.image_size = image_size
        self.evaluating = False
        self.built = True

    def call(self, images: Tensor, training: bool | None = None) -> TensorDict:
        return self.predictor(images, training=training)

    def compile(
        self,
        optimizer: Any = "adam",
        baselines: dict[str, float] | None = None,
        jit_compile: str | bool = "auto",
        steps_per_execution: int = 1,
        **kwargs: Any,
    ) -> None:
        """Configures training.

        Args:
            optimizer: A Keras optimizer or its name.
            baselines: Headline metric of each task that `delta_mtl` compares
                with, by task name, in the metric's unit (mIoU as a fraction,
                metres, degrees). Defaults to each task's own level, which only
                makes the figure comparable within a run.
            jit_compile: Whether to use XLA; `"auto"` where it works.
            steps_per_execution: As in Keras; 1 with several replicas.
            **kwargs: Further arguments of `keras.Model.compile`.
        """
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync > 1:
            synchronize_batch_statistics(self)
        super().compile(
            optimizer=optimizer,
            jit_compile=choose_compilation(
                strategy, jit_compile, steps_per_execution
            ),
            steps_per_execution=steps_per_execution,
            **kwargs,
        )
        self.compile_settings = {
            "baselines": baselines,
            "jit_compile": jit_compile,
        }
        self.scoring = Scoring(self.tasks, baselines)
        names = [f"{task.name}_loss" for task in self.tasks]
        self.test_losses = means(["loss", *names])
        if self.regularization is not None:
            names += self.regularization.loss_weights
        if self.balancing is not None:
            names += [f"{task.name}_weight" for task in self.tasks]
        self.train_losses = means(["loss", *names])

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        if self.evaluating:
            return [*self.test_losses.values(), *self.scoring.metrics]
        return list(self.train_losses.values())

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        callbacks = kwargs.pop("callbacks", None) or []
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(EpochSynchronization(x))
        else:
            callbacks = [*tf.nest.flatten(callbacks), EpochSynchronization(x)]
        if isinstance(x, tf.data.Dataset):  # Keras warns of its own default.
            kwargs.setdefault("shuffle", False)
        return super().fit(x, *args, callbacks=callbacks, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        self.evaluating = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self.evaluating = False

    def train_step(self, data: Any) -> TensorDict:
        x, y_true, labelled = unpack(data, self.tasks)
        views = x.shape[1]
        require_views(self.num_views, views)
        self.image_size = self.image_size or _static(x.shape[2:4])
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape() as tape:
            y_pred, features = self.predictor(
                fold_views(x), training=True, return_features=True
            )
            y_pred = unfold_views(y_pred, views)
            losses = supervised_losses(
                self.tasks, y_true, y_pred, labelled, self.supervised_views
            )
            if self.regularization is not None:
                extras = collect_extras(
                    self.regularization,
                    self.predictor,
                    self.teacher,
                    x,
                    features,
                    y_true,
                )
                losses |= self.regularization(
                    y_true, y_pred, labelled, **extras
                )
            weights, penalty = task_weights(self.balancing, losses, labelled)
            total = total_loss(losses, self.regularization, weights) + penalty
            # Replicas' gradients are summed; their losses are means.
            scaled = self.optimizer.scale_loss(total / replicas)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        if self.teacher is not None:
            self.teacher.update(self.predictor)
        logs = {f"{name}_weight": value for name, value in weights.items()}
        return track(self.train_losses, losses | {"loss": total} | logs)

    def test_step(self, data: Any) -> TensorDict:
        x, y_true, labelled = unpack(data, self.tasks)
        y_pred = self(x[:, 0], training=False)
        losses = supervised_losses(
            self.tasks,
            y_true,
            {name: value[:, None] for name, value in y_pred.items()},
            labelled,
        )
        losses["loss"] = total_loss(losses, None)
        self.scoring.update(
            {name: value[:, 0] for name, value in y_true.items()},
            y_pred,
            labelled,
        )
        results = track(self.test_losses, losses)
        return results | {m.name: m.result() for m in self.scoring.metrics}

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

    def get_compile_config(self) -> Config:
        return (super().get_compile_config() or {}) | self.compile_settings

    def compile_from_config(self, config: Config) -> None:
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    @property
    def num_views(self) -> int:
        """How many views of each image the training data must have."""
        compared = self.regularization.num_views if self.regularization else 1
        return max(compared, self.supervised_views)

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


def _static(shape: Any) -> tuple[int, ...] | None:
    return None if None in shape else tuple(shape)
