"""How tasks exchange features between the backbone and their heads."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.interaction.interaction import Features, Interaction
from jtr_keras.interaction.shared_features import SharedFeatures
from jtr_keras.registry import INTERACTIONS

__all__ = ["INTERACTIONS", "Features", "Interaction", "SharedFeatures"]
