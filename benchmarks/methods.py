"""The methods that are compared: flags of `jtr train` for each."""

from typing import Any

Flags = dict[str, Any]

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


def parts(method: str, tasks: list[str]) -> list[Flags]:
    """The networks that a method trains: one, or one a task.

    Args:
        method: A key of `METHODS`.
        tasks: Names of the tasks.

    Returns:
        Flags of each network, `tasks` among them.
    """
    shared = METHODS[method]
    groups = [[task] for task in tasks] if method == SINGLE_TASK else [tasks]
    return [shared | {"tasks": group} for group in groups]
