"""From the gradients of the tasks' losses to one gradient."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.aggregation.aggregation import Aggregation
from jtr_keras.aggregation.sum_of_gradients import SumOfGradients
from jtr_keras.registry import AGGREGATIONS

__all__ = ["AGGREGATIONS", "Aggregation", "SumOfGradients"]
