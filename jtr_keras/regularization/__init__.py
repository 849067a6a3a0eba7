"""Strategies that relate tasks or views that have no label in common."""

import keras  # noqa: F401 - first, see jtr_keras/__init__.py

from jtr_keras.regularization.composition import Composition
from jtr_keras.regularization.cross_task import CrossTaskConsistency
from jtr_keras.regularization.denoiser import Denoiser
from jtr_keras.regularization.joint_autoencoder import JointAutoencoder
from jtr_keras.regularization.joint_restorer import JointRestorer
from jtr_keras.regularization.joint_task import JointTaskRegularization
from jtr_keras.regularization.label_evidence import LabelEvidence
from jtr_keras.regularization.pair_mapping import PairMapping
from jtr_keras.regularization.pseudo_labels import PseudoLabels
from jtr_keras.regularization.semantics import Semantics
from jtr_keras.regularization.task_prototypes import TaskPrototypes
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.regularization.trust import Trust
from jtr_keras.regularization.view_consistency import ViewConsistency

REGULARIZATIONS = {
    "cross_task": CrossTaskConsistency,
    "joint_task": JointTaskRegularization,
    "pseudo_labels": PseudoLabels,
    "task_prototypes": TaskPrototypes,
    "view_consistency": ViewConsistency,
}
"""The regularizations by the names of the command line."""

__all__ = [
    "REGULARIZATIONS",
    "Composition",
    "CrossTaskConsistency",
    "Denoiser",
    "JointAutoencoder",
    "JointRestorer",
    "JointTaskRegularization",
    "LabelEvidence",
    "PairMapping",
    "PseudoLabels",
    "Semantics",
    "TaskPrototypes",
    "TaskRegularization",
    "Trust",
    "ViewConsistency",
]
