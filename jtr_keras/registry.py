"""What can be chosen by name: here a new method is registered, in one line.

Names are known before what they stand for is imported, so that the command line
can list them without loading TensorFlow. A class of your own needs no line
here: `jtr_keras.regularization.REGULARIZATIONS["mine"] = Mine` in a module of
yours, which `--import` names on the command line.
"""

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class Registry(MutableMapping[str, Any]):
    """Classes by name, imported when they are asked for.

    A mutable mapping; only what is looked up is imported.

    Args:
        kind: What they are: for messages, and the name of their flag.
        entries: By name, `"module:Name"` below `jtr_keras`, or the class.

    Example:

    >>> from jtr_keras.registry import BACKBONES
    >>> sorted(BACKBONES), BACKBONES["unet"].__name__
    (['segnet', 'unet'], 'UNet')
    """

    def __init__(self, kind: str, entries: Mapping[str, Any]) -> None:
        self.kind = kind
        self.entries = dict(entries)

    def __getitem__(self, name: str) -> Any:
        entry = self.entries[name]
        if isinstance(entry, str):
            module, attribute = entry.split(":")
            loaded = importlib.import_module(f"jtr_keras.{module}")
            entry = self.entries[name] = getattr(loaded, attribute)
        return entry

    def __setitem__(self, name: str, value: Any) -> None:
        self.entries[name] = value

    def __delitem__(self, name: str) -> None:
        del self.entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self.entries  # A mapping's own would import it.

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"Registry({self.kind!r}, {sorted(self)})"

    def require(self, name: str) -> None:
        """ValueError that lists the names unless there is this one."""
        if name not in self:
            raise ValueError(
                f"There is no {self.kind} {name!r}; there are {sorted(self)}."
            )

    def find(self, name: str) -> Any:
        """What has a name; ValueError that lists the names if nothing has."""
        self.require(name)
        return self[name]

    def make(self, name: str, options: Mapping[str, Any] | None = None) -> Any:
        """What has a name, called with options.

        Args:
            name: The name.
            options: Arguments by name; those that are not given have defaults.

        Returns:
            What the call returns.

        Raises:
            ValueError: If nothing has the name, or the options are refused.
        """
        found = self.find(name)
        try:
            return found(**(options or {}))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The {self.kind} {name!r}: {str(error).rstrip('.')}."
            ) from error


TASKS = Registry(
    "task",
    {
        "segmentation": "tasks.semantic_segmentation:SemanticSegmentation",
        "depth": "tasks.depth:Depth",
        "normals": "tasks.surface_normals:SurfaceNormals",
        "regression": "tasks.dense_regression:DenseRegression",
    },
)
BACKBONES = Registry(
    "backbone", {"unet": "models.unet:UNet", "segnet": "models.segnet:SegNet"}
)
INTERACTIONS = Registry(
    "interaction",
    {"shared_features": "interaction.shared_features:SharedFeatures"},
)
REGULARIZATIONS = Registry(
    "regularization",
    {
        "joint_task": (
            "regularization.joint_task.joint_task:JointTaskRegularization"
        ),
        "label_restoration": (
            "regularization.label_restoration.label_restoration:LabelRestoration"
        ),
        "cross_task": (
            "regularization.cross_task.cross_task:CrossTaskConsistency"
        ),
        "view_consistency": "regularization.view_consistency:ViewConsistency",
        "pseudo_labels": "regularization.pseudo_labels:PseudoLabels",
        "task_prototypes": "regularization.task_prototypes:TaskPrototypes",
    },
)
BALANCINGS = Registry(
    "balancing",
    {
        "fixed": "balancing.fixed_weights:FixedWeights",
        "uncertainty": "balancing.uncertainty_weights:UncertaintyWeights",
        "dynamic_average": (
            "balancing.dynamic_weight_average:DynamicWeightAverage"
        ),
        "random": "balancing.random_loss_weighting:RandomLossWeighting",
        "geometric": "balancing.geometric_loss:GeometricLoss",
    },
)
AGGREGATIONS = Registry(
    "aggregation", {"sum": "aggregation.sum_of_gradients:SumOfGradients"}
)
DATASETS = Registry(
    "dataset",
    {
        "rooms": "data.datasets.rooms:ROOMS",
        "folder": "data.datasets.folder:FOLDER",
        "nyuv2": "data.datasets.nyuv2:NYUV2",
        "cityscapes": "data.datasets.cityscapes:CITYSCAPES",
    },
)
READ_FROM_ROOT = {"folder", "nyuv2", "cityscapes"}
"""Data sets whose files are in a folder of yours, which has to be given."""
FORMATS = Registry(
    "format",
    {
        "onnx": "export.formats:ONNX",
        "openvino": "export.formats:OPENVINO",
        "litert": "export.formats:LITERT",
    },
)
