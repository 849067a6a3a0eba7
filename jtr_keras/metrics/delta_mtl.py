"""Improvement over baselines, averaged over tasks."""

from typing import Any

import keras
from keras import ops

from jtr_keras.types import Config, Tensor


@keras.saving.register_keras_serializable(package="jtr_keras")
class DeltaMTL(keras.metrics.Metric):
    """Mean over tasks of the signed relative gain over a baseline, in percent.

    `100 * (value - baseline) / baseline` for metrics that are better when
    higher, its negative for the others. Tasks without an annotated pixel in
    the set are left out; without any task the result is NaN.

    Mind the baseline: the JTR paper compares with supervised multi-task
    training, the MTPSL code with one network a task.

    Args:
        baselines: Value of each task's metric that counts as no gain.
        higher_is_better: For each task, whether its metric is.
        name: str. Name of the metric.
        dtype: Dtype of the accumulators.

    Call arguments:
        annotated: Dict of scalars: how many pixels of each task the batch has.

    Raises:
        ValueError: If a baseline is not positive, or the dicts differ in keys.

    Example:

    >>> delta = jtr_keras.metrics.DeltaMTL(
    ...     {"segmentation": 0.2705, "depth": 0.6624},
    ...     {"segmentation": True, "depth": False},
    ... )
    >>> values = {"segmentation": 0.3708, "depth": 0.5541}
    >>> round(float(delta.gain(values, {"segmentation": 1.0, "depth": 1.0})), 2)
    26.71

    Reference:
        - [Maninis et al., 2019](https://arxiv.org/abs/1904.08918)
        - [Vandenhende et al., 2021](https://arxiv.org/abs/2004.13379), sec. 4
    """

    def __init__(
        self,
        baselines: dict[str, float],
        higher_is_better: dict[str, bool],
        name: str = "delta_mtl",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if set(baselines) != set(higher_is_better):
            raise ValueError(
                "`baselines` and `higher_is_better` must name the same tasks; "
                f"got {sorted(baselines)} and {sorted(higher_is_better)}."
            )
        for task, baseline in baselines.items():
            if not baseline > 0:
                raise ValueError(
                    f"`baselines[{task!r}]` must be positive; got {baseline}."
                )
        self.baselines = dict(baselines)
        self.higher_is_better = dict(higher_is_better)
        self.annotated = {
            task: self.add_variable((), initializer="zeros", name=task)
            for task in baselines
        }
        self.primary_metrics: dict[str, keras.metrics.Metric] = {}

    def bind(self, primary_metrics: dict[str, keras.metrics.Metric]) -> None:
        """Tells whose results count, by task."""
        self.primary_metrics = dict(primary_metrics)

    def update_state(self, annotated: dict[str, Tensor]) -> None:
        for task, pixels in annotated.items():
            self.annotated[task].assign_add(ops.cast(pixels, self.dtype))

    def result(self) -> Tensor:
        values = {task: m.result() for task, m in self.primary_metrics.items()}
        return self.gain(values, self.annotated)

    def gain(self, values: dict[str, Any], annotated: dict[str, Any]) -> Tensor:
        """The figure for given values of the metrics.

        Args:
            values: Value of each task's metric.
            annotated: Above 0 for the tasks that count.

        Returns:
            Scalar, in percent.
        """
        total: Tensor = 0.0
        count: Tensor = 0.0
        for task, baseline in self.baselines.items():
            sign = 1.0 if self.higher_is_better[task] else -1.0
            value = ops.cast(values[task], self.dtype)
            present = ops.cast(
                ops.convert_to_tensor(annotated[task]) > 0, self.dtype
            )
            total += present * sign * 100.0 * (value - baseline) / baseline
            count += present
        return total / count

    def get_config(self) -> Config:
        return super().get_config() | {
            "baselines": self.baselines,
            "higher_is_better": self.higher_is_better,
        }
