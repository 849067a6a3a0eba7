"""The commands and their flags; light, since `--help` loads no TensorFlow."""

import dataclasses
from collections.abc import Callable

from absl import flags

from jtr_keras.cli.shared_flags import define_data, define_text
from jtr_keras.cli.training_flags import define_train

SAVED_MODEL = "tf_saved_model"


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


def _define_model(values: flags.FlagValues) -> None:
    define_text(
        values,
        "model",
        None,
        "A .keras file, or the workdir of a training run, which stands for "
        "its last.keras; to predict, also a SavedModel. Required.",
    )


def _define_evaluate(values: flags.FlagValues) -> None:
    _define_model(values)
    define_data(values, None)
    define_text(values, "split", "val", "Split to evaluate on.")
    define_text(values, "output", None, "JSON file for the metrics.")


def _define_predict(values: flags.FlagValues) -> None:
    _define_model(values)
    define_text(values, "output", "predictions", "Folder for the pictures.")
    flags.DEFINE_boolean(
        "arrays",
        False,
        "Also write the predictions as NAME.npz.",
        flag_values=values,
    )


def _define_export(values: flags.FlagValues) -> None:
    _define_model(values)
    define_text(
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
        define_train,
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
