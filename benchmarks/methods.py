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
    "joint_task_corrected": {
        "regularization": "joint_task",
        "regularization_options": {"semantics": "corrected"} | LIGHT,
    },
    "joint_task": {"regularization": "joint_task"},
}
"""Flags that differ from what all methods share."""


def _joint_task(**options: Any) -> Flags:
    return {"regularization": "joint_task", "regularization_options": options}


ODDITIES = (
    *("hard_samples", "new_draws", "encode_twice"),
    *("count_nonzeros", "separate_masks", "moving_targets"),
)
ABLATIONS: dict[str, Flags] = {
    # An untrained restorer returns the predictions.
    "without_restoration": _joint_task(weights={"reconstruction": 0.0}),
    "half_distance": _joint_task(weights={"distance": 0.5}),
    "triple_distance": _joint_task(weights={"distance": 3.0}),
    "without_warm_up": _joint_task(warm_up=0),
    "fine_stacks": _joint_task(stride=2),
    "wide_restorer": _joint_task(widths=[64, 64]),
    # One oddity of the reference each; new draws need samples.
    **{
        f"only_{name}": _joint_task(
            semantics={name: True, "hard_samples": name in ODDITIES[:2]},
            **LIGHT,
        )
        for name in ODDITIES
    },
}
"""Changes of one thing in `joint_task`, or in the corrected semantics."""


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
