"""Flags of `jtr train`."""

from functools import partial

from absl import flags

from jtr_keras.cli.shared_flags import (
    define_data,
    define_json,
    define_text,
)


def define_train(values: flags.FlagValues) -> None:
    """Defines all flags of `jtr train`."""
    define_text(
        values,
        "workdir",
        None,
        "Folder for everything that the run writes. A run with the same "
        "folder and flags goes on where an earlier one ended. Required.",
    )
    define_data(values, "rooms")
    _define_training_data(values)
    _define_network(values)
    _define_objective(values)
    _define_optimization(values)
    _define_running(values)


def _define_training_data(values: flags.FlagValues) -> None:
    flags.DEFINE_list(
        "tasks",
        None,
        "Names of the tasks; the dataset's usual ones if not given.",
        flag_values=values,
    )
    define_json(
        values,
        "task_options",
        'Arguments of tasks, e.g. {"segmentation": {"num_classes": 5}}.',
    )
    define_text(
        values,
        "labels",
        None,
        "Which image has which label: available, those whose files there are; "
        "full, onelabel, randomlabels or halflabels; or a .pth or .npy file. "
        "Usually available for a folder, and onelabel else.",
    )
    define_text(
        values, "train_split", "train", "Split, or a part: train[:700]."
    )
    define_text(
        values, "val_split", "val", "Split to evaluate on, or a part of one."
    )
    flags.DEFINE_boolean(
        "labelled_only",
        False,
        "Leave out images that have no label of any of the tasks.",
        flag_values=values,
    )


def _define_network(values: flags.FlagValues) -> None:
    integer = partial(flags.DEFINE_integer, flag_values=values)
    define_text(
        values, "backbone", "unet", "unet (light) or segnet (the paper's)."
    )
    define_json(values, "backbone_options", "Arguments of the backbone.")
    integer("head_filters", 16, "Channels inside each head.", 1)


def _define_objective(values: flags.FlagValues) -> None:
    define_text(
        values,
        "regularization",
        "joint_task",
        "joint_task, cross_task, view_consistency, pseudo_labels or "
        "task_prototypes; none for supervised training alone.",
    )
    define_json(
        values, "regularization_options", "Arguments of the regularization."
    )
    define_text(
        values,
        "balancing",
        "none",
        "What weighs the tasks' losses: fixed, uncertainty, dynamic_average, "
        "random or geometric; none for equal weights.",
    )
    define_json(
        values,
        "balancing_options",
        'Arguments of the balancing, e.g. {"compensate_label_rate": true}.',
    )
    define_json(
        values,
        "baselines",
        "Headline metric of each task that counts as delta_mtl = 0.",
    )
    flags.DEFINE_integer(
        "supervised_views",
        1,
        "Views of an image that count for the supervised losses.",
        1,
        flag_values=values,
    )


def _define_optimization(values: flags.FlagValues) -> None:
    integer = partial(flags.DEFINE_integer, flag_values=values)
    enum = partial(flags.DEFINE_enum, flag_values=values)
    integer("epochs", 30, "Epochs in all, those of earlier runs included.", 1)
    integer(
        "steps",
        None,
        "Steps in all, to the nearest whole epoch; replaces --epochs.",
        1,
    )
    flags.DEFINE_float(
        "learning_rate", 1e-3, "Peak rate of Adam.", 0.0, flag_values=values
    )
    enum(
        "schedule",
        "cosine",
        ["constant", "cosine", "halved"],
        "Learning rate over the run: cosine, after a warm-up of 5 %; or "
        "halved half-way, as in the paper.",
    )
    enum(
        "precision",
        "float32",
        ["float32", "mixed_float16", "mixed_bfloat16"],
        "Keras dtype policy.",
    )
    enum(
        "xla",
        "auto",
        ["auto", "on", "off"],
        "Compilation by XLA; auto: where there is a GPU.",
    )
    integer("seed", 0, "Seed of weights, labels, order and views.")


def _define_running(values: flags.FlagValues) -> None:
    flags.DEFINE_integer(
        "picture_every",
        1,
        "Draw predictions every so many epochs.",
        1,
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "validate",
        True,
        "Evaluate, draw and keep the best model after every epoch; if not, "
        "evaluate once, after the last.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "check",
        True,
        "Read every file once before training.",
        flag_values=values,
    )
