"""The commands and their flags; light, since `--help` loads no TensorFlow."""

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from absl import flags

SAVED_MODEL = "tf_saved_model"


class JsonParser(flags.ArgumentParser[dict[str, Any]]):
    """A flag whose value is a JSON object."""

    syntactic_help = "a JSON object"

    def parse(self, argument: Any) -> dict[str, Any]:
        try:
            value = (
                argument if isinstance(argument, dict) else json.loads(argument)
            )
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON ({error})") from error
        if not isinstance(value, dict):
            raise ValueError('must be a JSON object, such as {"name": 1}')
        return value

    def flag_type(self) -> str:
        return "json"


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of the program.

    Args:
        summary: What it does, in a sentence.
        arguments: What it is called with, for the help.
        define: Defines its flags.
    """

    summary: str
    arguments: str
    define: Callable[[flags.FlagValues], None]


def _text(values: flags.FlagValues, name: str, default: Any, text: str) -> None:
    flags.DEFINE_string(name, default, text, flag_values=values)


def _json(values: flags.FlagValues, name: str, text: str) -> None:
    flags.DEFINE(
        JsonParser(),
        name,
        None,
        f"{text} A JSON object.",
        flag_values=values,
        serializer=flags.ArgumentSerializer(),
    )


def _define_data(values: flags.FlagValues, default: str | None) -> None:
    _text(
        values,
        "dataset",
        default,
        "rooms (synthetic, comes with the package), folder (PNG files in the "
        "layout of Rooms), nyuv2 or cityscapes (.npy files).",
    )
    _text(values, "root", None, "Folder that holds the splits; not for rooms.")
    flags.DEFINE_integer(
        "batch_size", 8, "Images of a batch.", 1, flag_values=values
    )


def _define_train(values: flags.FlagValues) -> None:
    _text(
        values,
        "workdir",
        None,
        "Folder for everything that the run writes. A run with the same "
        "folder and flags goes on where an earlier one ended. Required.",
    )
    _define_data(values, "rooms")
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
    _json(
        values,
        "task_options",
        'Arguments of tasks, e.g. {"segmentation": {"num_classes": 5}}.',
    )
    _text(
        values,
        "labels",
        "onelabel",
        "Which image has which label: full, onelabel, randomlabels, "
        "halflabels, or a .pth or .npy file.",
    )
    _text(values, "train_split", "train", "Split, or a part: train[:700].")
    _text(values, "val_split", "val", "Split to evaluate on, or a part of one.")
    flags.DEFINE_boolean(
        "labelled_only",
        False,
        "Leave out images that have no label of any of the tasks.",
        flag_values=values,
    )


def _define_network(values: flags.FlagValues) -> None:
    integer = partial(flags.DEFINE_integer, flag_values=values)
    _text(values, "backbone", "unet", "unet (light) or segnet (the paper's).")
    _json(values, "backbone_options", "Arguments of the backbone.")
    integer("head_filters", 16, "Channels inside each head.", 1)


def _define_objective(values: flags.FlagValues) -> None:
    _text(
        values,
        "regularization",
        "joint_task",
        "joint_task, cross_task, view_consistency, pseudo_labels or "
        "task_prototypes; none for supervised training alone.",
    )
    _json(values, "regularization_options", "Arguments of the regularization.")
    _text(
        values,
        "balancing",
        "none",
        "What weighs the tasks' losses: fixed, uncertainty, dynamic_average, "
        "random or geometric; none for equal weights.",
    )
    _json(
        values,
        "balancing_options",
        'Arguments of the balancing, e.g. {"compensate_label_rate": true}.',
    )
    _json(
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


def _define_model(values: flags.FlagValues) -> None:
    _text(
        values,
        "model",
        None,
        "A .keras file, or the workdir of a training run, which stands for "
        "its last.keras; to predict, also a SavedModel. Required.",
    )


def _define_evaluate(values: flags.FlagValues) -> None:
    _define_model(values)
    _define_data(values, None)
    _text(values, "split", "val", "Split to evaluate on.")
    _text(values, "output", None, "JSON file for the metrics.")


def _define_predict(values: flags.FlagValues) -> None:
    _define_model(values)
    _text(values, "output", "predictions", "Folder for the pictures.")
    flags.DEFINE_boolean(
        "arrays",
        False,
        "Also write the predictions as NAME.npz.",
        flag_values=values,
    )


def _define_export(values: flags.FlagValues) -> None:
    _define_model(values)
    _text(
        values,
        "output",
        None,
        "NAME, a folder that gets a subfolder with the next free version; or "
        "NAME/VERSION; of other formats, a file. Nothing is overwritten. "
        "Default: savedmodels/model.",
    )
    flags.DEFINE_enum(
        "format",
        SAVED_MODEL,
        [SAVED_MODEL, "onnx", "openvino", "litert"],
        "tf_saved_model (for TensorFlow Serving); onnx or openvino (images of "
        "any size); litert (one image of a fixed size). All but the first are "
        "compared with the network, and need the extra of their name.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "image_size",
        None,
        "HEIGHT,WIDTH that encoded images are resized to, and of litert. "
        "Those of the training images if not given.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "warmup",
        None,
        "Write warm-up requests for TensorFlow Serving, which needs the extra "
        "serving. If not given: where it is installed.",
        flag_values=values,
    )


COMMANDS = {
    "train": Command(
        "Trains a model on partly labelled images, or goes on training it.",
        "--workdir=FOLDER [FLAGS]",
        _define_train,
    ),
    "evaluate": Command(
        "Prints the metrics of a model on a dataset.",
        "--model=MODEL [FLAGS]",
        _define_evaluate,
    ),
    "predict": Command(
        "Draws a model's predictions for images, side by side.",
        "--model=MODEL IMAGE... [FLAGS]",
        _define_predict,
    ),
    "export": Command(
        "Writes the network as a SavedModel, ONNX, OpenVINO or LiteRT.",
        "--model=MODEL [FLAGS]",
        _define_export,
    ),
}
"""The commands by name; each is run by the module of that name."""
