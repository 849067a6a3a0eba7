"""The metrics of an evaluation."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.metrics.delta_mtl import DeltaMTL
from jtr_keras.tasks.task import Task
from jtr_keras.types import TensorDict


class Scoring:
    """Every task's metrics and the improvement over baselines.

    Metrics are named `<task>_<metric>`.

    Args:
        tasks: The tasks.
        baselines: Primary metric of each task that counts as no improvement;
            a task without one takes its own `default_baseline`.

    Raises:
        ValueError: If a baseline names no task or is not positive, or the
            primary metric of a task is none of its metrics.
    """

    def __init__(
        self, tasks: Sequence[Task], baselines: dict[str, float] | None = None
    ) -> None:
        baselines = {} if baselines is None else baselines
        names = [task.name for task in tasks]
        if not isinstance(baselines, dict) or set(baselines) - set(names):
            raise ValueError(
                "`baselines` must be a dict of numbers for the tasks "
                f"{names}; got {baselines!r}."
            )
        self.tasks = tasks
        self.task_metrics = {task.name: task.metrics() for task in tasks}
        primary = {
            task.name: _primary_metric(task, self.task_metrics[task.name])
            for task in tasks
        }
        for name, metrics in self.task_metrics.items():
            for metric in metrics:
                metric.name = f"{name}_{metric.name}"
        self.delta = DeltaMTL(
            {t.name: baselines.get(t.name, t.default_baseline) for t in tasks},
            {task.name: task.higher_is_better for task in tasks},
        )
        self.delta.bind(primary)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All metrics, `delta_mtl` last."""
        flat = [m for task in self.tasks for m in self.task_metrics[task.name]]
        return [*flat, self.delta]

    def update(
        self, y_true: TensorDict, y_pred: TensorDict, labelled: TensorDict
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Dict of targets, `(batch, height, width, channels)`.
            y_pred: Dict of predictions, of the same leading shape.
            labelled: Dict of weights, `(batch,)`.
        """
        annotated = {}
        for task in self.tasks:
            targets = y_true[task.name]
            mask = ops.squeeze(task.valid_mask(targets), axis=-1)
            weight = ops.cast(labelled[task.name], mask.dtype)
            mask = mask * weight[:, None, None]
            annotated[task.name] = ops.sum(mask)
            for metric in self.task_metrics[task.name]:
                metric.update_state(
                    task.zero_void(targets),
                    task.codec.values(y_pred[task.name]),
                    sample_weight=mask,
                )
        self.delta.update_state(annotated)


def _primary_metric(task: Task, metrics: Sequence[Any]) -> Any:
    """The metric that stands for the task."""
    by_name = {metric.name: metric for metric in metrics}
    name = task.primary_metric
    if name not in by_name:
        raise ValueError(
            f"`{type(task).__name__}.primary_metric` must be the name of one "
            f"of its metrics, {sorted(by_name)}; got {name!r}."
        )
    return by_name[name]
