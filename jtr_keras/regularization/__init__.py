"""Strategies that relate tasks or views that have no label in common."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.registry import REGULARIZATIONS
from jtr_keras.regularization.composition import Composition
from jtr_keras.regularization.cross_task.cross_task import CrossTaskConsistency
from jtr_keras.regularization.cross_task.pair_mapping import PairMapping
from jtr_keras.regularization.joint_task.joint_autoencoder import (
    JointAutoencoder,
)
from jtr_keras.regularization.joint_task.joint_task import (
    JointTaskRegularization,
)
from jtr_keras.regularization.joint_task.semantics import Semantics
from jtr_keras.regularization.label_restoration.label_restoration import (
    LabelRestoration,
)
from jtr_keras.regularization.label_restoration.reliability_weights import (
    ReliabilityWeights,
)
from jtr_keras.regularization.label_restoration.restorer import (
    Denoiser,
    LabelEvidence,
)
from jtr_keras.regularization.pseudo_labels import PseudoLabels
from jtr_keras.regularization.task_prototypes import TaskPrototypes
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.regularization.view_consistency import ViewConsistency

__all__ = [
    "REGULARIZATIONS",
    "Composition",
    "CrossTaskConsistency",
    "Denoiser",
    "JointAutoencoder",
    "JointTaskRegularization",
    "LabelEvidence",
    "LabelRestoration",
    "PairMapping",
    "PseudoLabels",
    "ReliabilityWeights",
    "Semantics",
    "TaskPrototypes",
    "TaskRegularization",
    "ViewConsistency",
]
