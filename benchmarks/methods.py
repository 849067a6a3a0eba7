"""The methods that are compared: flags of `jtr train` for each."""

from typing import Any

Flags = dict[str, Any]

BACKBONE_OPTIONS = {"widths": [32, 64, 128, 128], "stem_strides": 4}
HEAD_FILTERS = 32
VIEWS = 2
"""The network that is compared: a `UNet`; and its supervised views."""

SUPERVISED = "supervised"
SINGLE_TASK = "single_task"

LIGHT = {"widths": [16, 32, 48, 64], "num_convs": [1, 1, 1, 1]}
"""The reference's autoencoder of 25 M parameters takes seconds a step here."""

METHODS: dict[str, Flags] = {
    SUPERVISED: {"regularization": "none"},
    SINGLE_TASK: {"regularization": "none", "labelled_only": True},
    "view_consistency": {"regularization": "view_consistency"},
    "cross_task": {"regularization": "cross_task"},
    "pseudo_labels": {"regularization": "pseudo_labels"},
    "task_prototypes": {"regularization": "task_prototypes"},
    "joint_task_reference": {
        "regularization": "joint_task",
        "regularization_options": {"semantics": "reference"} | LIGHT,
    },
    # Its autoencoder is a light one by default.
    "joint_task_corrected": {"regularization": "joint_task"},
    "label_restoration": {"regularization": "label_restoration"},
}
"""Flags that differ from what all methods share."""


def _label_restoration(**options: Any) -> Flags:
    return {
        "regularization": "label_restoration",
        "regularization_options": options,
    }


def _joint_task(**semantics: bool) -> Flags:
    return {
        "regularization": "joint_task",
        "regularization_options": {"semantics": semantics},
    }


ODDITIES = (
    *("hard_samples", "new_draws", "encode_twice"),
    *("count_nonzeros", "separate_masks", "target_gradients"),
)
ABLATIONS: dict[str, Flags] = {
    # An untrained restorer returns the predictions.
    "without_restoration": _label_restoration(
        weights={"restoration_error": 0.0}
    ),
    "half_distance": _label_restoration(weights={"restoration_distance": 0.5}),
    "triple_distance": _label_restoration(
        weights={"restoration_distance": 3.0}
    ),
    "without_warm_up": _label_restoration(warm_up=0),
    "fine_stacks": _label_restoration(stride=2),
    "wide_restorer": _label_restoration(widths=[64, 64]),
    # One oddity of the reference each; new draws need samples.
    **{
        f"only_{name}": _joint_task(
            **{name: True, "hard_samples": name in ODDITIES[:2]}
        )
        for name in ODDITIES
    },
}
"""Changes of one thing in `label_restoration`, or in `joint_task_corrected`."""


def parts(method: str, tasks: list[str]) -> list[Flags]:
    """The networks that a method trains: one, or one a task.

    Args:
        method: A key of `METHODS` or `ABLATIONS`.
        tasks: Names of the tasks.

    Returns:
        Flags of each network, `tasks` among them.
    """
    shared = (METHODS | ABLATIONS)[method]
    groups = [[task] for task in tasks] if method == SINGLE_TASK else [tasks]
    return [shared | {"tasks": group} for group in groups]
