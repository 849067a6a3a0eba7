"""How a multi-task model is compiled, trained and evaluated."""

import abc
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.tasks.task import Task
from jtr_keras.training.batches import fold_views, unfold_views, unpack
from jtr_keras.training.compilation import (
    choose_compilation,
    refuse_losses,
    synchronize_batch_statistics,
)
from jtr_keras.training.epoch_synchronization import EpochSynchronization
from jtr_keras.training.extras import collect_extras, require_views
from jtr_keras.training.objective import (
    layer_losses,
    require_terms,
    supervised_losses,
    task_weights,
    total_loss,
)
from jtr_keras.training.scoring import Scoring
from jtr_keras.training.teacher import Teacher
from jtr_keras.training.traced_step import TracedStep
from jtr_keras.training.tracking import means, track
from jtr_keras.types import Config, Tensor, TensorDict


class MultiTaskTrainer(keras.Model, abc.ABC):
    """The part of `MultiTaskModel` that trains; abstract.

    A subclass sets the attributes below.
    """

    predictor: DensePredictor
    tasks: tuple[Task, ...]
    regularization: TaskRegularization | None
    balancing: Balancing | None
    teacher: Teacher | None
    supervised_views: int
    image_size: Any
    evaluating = False

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

    def train_step(self, data: Any) -> TensorDict:
        x, y_true, labelled = unpack(data, self.tasks)
        require_views(self.num_views, x.shape[1])
        self.image_size = self.image_size or _static(x.shape[2:4])
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        variables = self.trainable_variables
        with tf.GradientTape() as tape:
            # A tape does not watch what was built while it was frozen.
            for variable in variables:
                tape.watch(variable.value)
            losses, added = self._terms(x, y_true, labelled)
            weights, penalty = task_weights(self.balancing, losses, labelled)
            total = total_loss(losses, self.regularization, weights)
            total += penalty + added
            # Replicas' gradients are summed; their losses are means.
            scaled = self.optimizer.scale_loss(total / replicas)
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        if self.teacher is not None:
            self.teacher.update(self.predictor)
        logs = {f"{name}_weight": value for name, value in weights.items()}
        logs |= losses | {"loss": total}
        return track(self.train_losses, logs, ops.shape(x)[0])

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
        results = track(self.test_losses, losses, ops.shape(x)[0])
        return results | {m.name: m.result() for m in self.scoring.metrics}

    def get_compile_config(self) -> Config:
        return (super().get_compile_config() or {}) | self.compile_settings

    def compile_from_config(self, config: Config) -> None:
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    def _make_function(self, step_function: Any) -> TracedStep:
        make = super()._make_function
        return TracedStep(lambda: make(step_function))

    @property
    def num_views(self) -> int:
        """How many views of each image the training data must have."""
        compared = self.regularization.num_views if self.regularization else 1
        return max(compared, self.supervised_views)

    def _terms(
        self, x: Tensor, y_true: TensorDict, labelled: TensorDict
    ) -> tuple[TensorDict, Tensor]:
        """Losses of tasks and terms of the regularization; `layer_losses`."""
        views = x.shape[1]
        y_pred, features = self.predictor(
            fold_views(x), training=True, return_features=True
        )
        # Now: in a teacher's pass layers forget those of this one.
        added = layer_losses(self.predictor)
        y_pred = unfold_views(y_pred, views)
        losses = supervised_losses(
            self.tasks, y_true, y_pred, labelled, self.supervised_views
        )
        if self.regularization is None:
            return losses, added
        extras = collect_extras(
            self.regularization,
            self.predictor,
            self.teacher,
            x,
            features,
            y_true,
        )
        terms = self.regularization(y_true, y_pred, labelled, **extras)
        require_terms(self.regularization, terms)
        return losses | terms, added


def _static(shape: Any) -> tuple[int, ...] | None:
    return None if None in shape else tuple(shape)
