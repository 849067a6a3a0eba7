"""The model that users compile, fit, evaluate, save and export.

Longer than other files: a step is read in one piece, and beside it stands what
differs from Keras around it.
"""

import pathlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from jtr_keras.aggregation.aggregation import Aggregation
from jtr_keras.aggregation.sum_of_gradients import SumOfGradients
from jtr_keras.balancing.balancing import Balancing
from jtr_keras.callbacks.epoch_synchronization import EpochSynchronization
from jtr_keras.export.formats import export_file
from jtr_keras.export.publishing import PathLike
from jtr_keras.export.saved_model import export_saved_model
from jtr_keras.export.signatures import DEFAULT_SIZE
from jtr_keras.interaction.interaction import Interaction
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.regularization.composition import A_REGULARIZATION, Composition
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.tasks.task import Task
from jtr_keras.training.batch import require_views, unpack
from jtr_keras.training.compilation import (
    TracedStep,
    choose_compilation,
    refuse_losses,
    synchronize_batch_statistics,
)
from jtr_keras.training.forward import forward, regularization_terms
from jtr_keras.training.gradients import aggregate
from jtr_keras.training.losses import (
    add,
    balance,
    means,
    named,
    supervised_losses,
    track,
    weighted_sum,
)
from jtr_keras.training.scoring import Scoring
from jtr_keras.training.teacher import Teacher
from jtr_keras.types import (
    Config,
    Tensor,
    TensorDict,
    require_instance,
    require_positive,
    require_size,
)

PARTS: dict[str, tuple[type, str]] = {
    "regularization": (
        TaskRegularization,
        f"{A_REGULARIZATION}, or a list of such",
    ),
    "balancing": (
        Balancing,
        "a balancing, such as `jtr_keras.balancing.UncertaintyWeights()`",
    ),
    "aggregation": (
        Aggregation,
        "an aggregation, such as `jtr_keras.aggregation.SumOfGradients()`",
    ),
}
"""The optional arguments of a model that train it."""


@keras.saving.register_keras_serializable(package="jtr_keras")
class MultiTaskModel(keras.Model):
    """Predicts dense maps of several tasks; trains on partly labelled images.

    `fit`, `evaluate`, `predict`, `save` and `export` are Keras's own. Data are
    `(x, y, sample_weight)`: float images in `[0, 1]`, and for every task the
    targets, of any value where an image has no label, and weights of shape
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
        interaction: How tasks exchange features, or None: all heads see the
            same.
        aggregation: What makes one gradient of those of the tasks, or None for
            their sum.
        make_head: From a task to its head; see
            `jtr_keras.models.DensePredictor`.
        **kwargs: Arguments of `keras.Model`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`, of any size.
        training: Whether batch statistics are used and updated.

    Returns:
        Dict of predictions by task name, each of shape
        `(batch, height, width, task.channels)`.

    Raises:
        ValueError: If an argument is of another kind, or belongs to another
            model.

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

    evaluating = False
    train_function: Any
    test_function: Any

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
        interaction: Interaction | None = None,
        aggregation: Aggregation | None = None,
        make_head: Callable[[Task], keras.layers.Layer] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(regularization, list | tuple):
            regularization = Composition(regularization)
        given = (regularization, balancing, aggregation)
        for value, (name, kind) in zip(given, PARTS.items(), strict=True):
            if value is not None:
                require_instance(name, value, *kind)
        require_positive("supervised_views", supervised_views)
        require_size(image_size)
        self.predictor = DensePredictor(
            backbone,
            tasks,
            head_filters,
            interaction,
            make_head,
            dtype=self.dtype_policy,
        )
        self.tasks = tuple(tasks)
        self.regularization = regularization
        self.supervised_views = supervised_views
        self.teacher_momentum = teacher_momentum
        self.teacher = None
        teacher = Teacher(teacher_momentum)  # Complains early.
        if regularization is not None:
            regularization.bind(tasks, self.predictor.feature_channels)
            if "teacher" in regularization.required_inputs:
                self.teacher = teacher
                self.teacher.build_for(self.predictor)
        self.balancing = balancing
        if balancing is not None:
            balancing.bind(tasks)
        self.aggregation = aggregation or SumOfGradients()
        self.aggregation.bind(tasks)
        self.image_size = image_size
        self.built = True

    def call(self, images: Tensor, training: bool | None = None) -> TensorDict:
        return self.predictor(images, training=training)

    @property
    def num_views(self) -> int:
        """How many views of each image the training data must have."""
        compared = self.regularization.num_views if self.regularization else 1
        return max(compared, self.supervised_views)

    def train_step(self, data: Any) -> TensorDict:
        batch = unpack(data, self.tasks)
        require_views(self.num_views, batch.images.shape[1])
        self.image_size = self.image_size or _static(batch.images.shape[2:4])
        variables = self.trainable_variables
        with tf.GradientTape(persistent=self.aggregation.per_task) as tape:
            # By itself it does not watch what was built while it was frozen.
            tape.watch([variable.value for variable in variables])
            outputs = forward(self.predictor, batch.images, batch.labelled)
            supervise = partial(
                supervised_losses,
                self.tasks,
                batch.targets,
                labelled=batch.labelled,
                num_views=self.supervised_views,
            )
            losses = supervise(outputs.y_pred)
            auxiliary = {
                name: supervise(y_pred)
                for name, y_pred in outputs.auxiliary.items()
            }
            terms = regularization_terms(
                self.regularization,
                batch,
                outputs,
                self.predictor,
                self.teacher,
            )
            weights, penalty, present = balance(
                self.balancing,
                losses,
                batch.labelled,
                find_present=self.aggregation.per_task,
            )
            further = self.predictor.interaction.auxiliary_weights
            by_task = {
                name: weights[name] * loss
                for name, loss in add(losses, auxiliary, further).items()
            }
            weighted = weighted_sum(terms, self.term_weights)
            rest = weighted + penalty + outputs.added
            total = sum(by_task.values(), start=0.0) + rest
        gradients = aggregate(
            self.aggregation,
            tape,
            by_task,
            rest,
            present,
            variables,
            self.predictor.trainable_variables,
            scale=self.optimizer.scale_loss(1.0),
        )
        self.optimizer.apply(gradients, variables)
        if self.teacher is not None:
            self.teacher.update(self.predictor)
        logs = named(losses, auxiliary) | terms | {"loss": total}
        if self.balancing is not None:
            logs |= {f"{name}_weight": w for name, w in weights.items()}
        return track(self.train_losses, logs, ops.shape(batch.images)[0])

    def test_step(self, data: Any) -> TensorDict:
        batch = unpack(data, self.tasks)
        y_pred = self(batch.images[:, 0], training=False)
        losses = supervised_losses(
            self.tasks,
            batch.targets,
            {name: value[:, None] for name, value in y_pred.items()},
            batch.labelled,
        )
        total = sum(losses.values(), start=0.0)
        self.scoring.update(
            {name: value[:, 0] for name, value in batch.targets.items()},
            y_pred,
            batch.labelled,
        )
        logs = named(losses, {}) | {"loss": total}
        results = track(self.test_losses, logs, ops.shape(batch.images)[0])
        return results | {m.name: m.result() for m in self.scoring.metrics}

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
            baselines: Primary metric of each task that `delta_mtl` compares
                with, by task name, in the metric's unit (mIoU as a fraction,
                metres, degrees). Defaults to each task's own level, which only
                makes the figure comparable within a run.
            jit_compile: Whether to use XLA; `"auto"` where it works.
            steps_per_execution: As in Keras; 1 with several replicas.
            **kwargs: Further arguments of `keras.Model.compile`, but losses,
                metrics and their weights, which are the tasks' own.

        Raises:
            ValueError: If there is such a loss, metric or weight.
        """
        refuse_losses(kwargs)
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
        losses = {task.name: 0.0 for task in self.tasks}
        further = self.predictor.interaction.auxiliary_weights
        names = [*named(losses, dict.fromkeys(further, losses))]
        if self.balancing is not None:
            names += [f"{name}_weight" for name in losses]
        self.train_losses = means(["loss", *names, *self.term_weights])
        self.test_losses = means(["loss", *named(losses, {})])

    @property
    def term_weights(self) -> dict[str, float]:
        """The terms of the regularization and their weights."""
        return self.regularization.loss_weights if self.regularization else {}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        if self.evaluating:
            return [*self.test_losses.values(), *self.scoring.metrics]
        return list(self.train_losses.values())

    def reset_metrics(self) -> None:
        super().reset_metrics()
        if self.compiled and not self.evaluating:
            # Those that `test_on_batch` adds to.
            for metric in (*self.test_losses.values(), *self.scoring.metrics):
                metric.reset_state()

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        callbacks = kwargs.pop("callbacks", None) or []
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(EpochSynchronization(x))
        else:
            callbacks = [*tf.nest.flatten(callbacks), EpochSynchronization(x)]
        if isinstance(x, tf.data.Dataset):  # Keras warns of its own default.
            kwargs.setdefault("shuffle", False)
            endless = getattr(x, "endless", None)
            if endless is not None and kwargs.get("steps_per_epoch") is None:
                # Keras would open two iterators an epoch; this opens one.
                kwargs["steps_per_epoch"] = int(x.cardinality())
                x = endless
        return super().fit(x, *args, callbacks=callbacks, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        self.evaluating = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self.evaluating = False

    def make_train_function(self, force: bool = False) -> None:
        if self.train_function is None or force:
            self.train_function = TracedStep(
                self, "train_function", super().make_train_function
            )

    def make_test_function(self, force: bool = False) -> None:
        if self.test_function is None or force:
            self.test_function = TracedStep(
                self, "test_function", super().make_test_function
            )

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
        network = self.predictor.get_config()
        serialize = keras.saving.serialize_keras_object
        names = ("backbone", "tasks", "head_filters", "interaction")
        return (
            super().get_config()
            | {name: network[name] for name in (*names, "make_head")}
            | {name: serialize(getattr(self, name)) for name in PARTS}
            | {
                "supervised_views": self.supervised_views,
                "teacher_momentum": self.teacher_momentum,
                "image_size": self.image_size and list(self.image_size),
            }
        )

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Any = None
    ) -> "MultiTaskModel":
        load = keras.saving.deserialize_keras_object
        return cls(**load(config, custom_objects))

    def get_compile_config(self) -> Config:
        return (super().get_compile_config() or {}) | self.compile_settings

    def compile_from_config(self, config: Config) -> None:
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    def __repr__(self) -> str:
        backbone = type(self.predictor.backbone).__name__
        parts = {name: getattr(self, name) for name in PARTS}
        parts["interaction"] = self.predictor.interaction
        given = [
            f"{name}={type(part).__name__}"
            for name, part in parts.items()
            if part is not None
        ]
        tasks = list(self.tasks)
        return f"MultiTaskModel({backbone}, {tasks}, {', '.join(given)})"

    def _settings(self) -> Config:
        """How the model is trained, as far as it knows."""
        config = self.get_config()
        names = (*PARTS, "supervised_views", "teacher_momentum")
        settings = {name: config[name] for name in names}
        if self.compiled:
            settings["optimizer"] = keras.saving.serialize_keras_object(
                self.optimizer
            )
        return settings


def _static(shape: Any) -> tuple[int, ...] | None:
    return None if None in shape else tuple(shape)
