"""Weights of the tasks' losses that know which tasks a batch labels."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.balancing.dynamic_weight_average import DynamicWeightAverage
from jtr_keras.balancing.fixed_weights import FixedWeights
from jtr_keras.balancing.geometric_loss import GeometricLoss
from jtr_keras.balancing.label_rate_compensation import LabelRateCompensation
from jtr_keras.balancing.random_loss_weighting import RandomLossWeighting
from jtr_keras.balancing.uncertainty_weights import UncertaintyWeights
from jtr_keras.registry import BALANCINGS

__all__ = [
    "BALANCINGS",
    "Balancing",
    "DynamicWeightAverage",
    "FixedWeights",
    "GeometricLoss",
    "LabelRateCompensation",
    "RandomLossWeighting",
    "UncertaintyWeights",
]
