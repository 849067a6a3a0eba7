"""Writes the network as a SavedModel, ONNX, OpenVINO or LiteRT."""

import argparse
from typing import Any

from jtr_keras.cli.arguments import PATH, SIZE, add, add_switch, one_of
from jtr_keras.cli.model_file import (
    add_model,
    load_model,
    model_file,
    run_record,
)
from jtr_keras.registry import FORMATS

SAVED_MODEL = "tf_saved_model"


def add_arguments(parser: Any) -> None:
    """Adds the flags of `jtr export`."""
    parser.usage = "%(prog)s --model=MODEL [FLAGS]"
    add_model(parser)
    text = (
        "NAME, a folder that gets a subfolder with the next free version; or "
        "NAME/VERSION; of other formats, a file. Nothing is overwritten."
    )
    add(parser, "output", text, "savedmodels/model", PATH)
    text = (
        "One of %(choices)s: a SavedModel, for TensorFlow Serving; onnx and "
        "openvino (images of any size); litert (one image of a fixed size). "
        "All but the first are compared with the network, and need the extra "
        "of their name."
    )
    names = one_of(SAVED_MODEL, *FORMATS)
    add(parser, "format", text, SAVED_MODEL, **names)
    text = (
        "What encoded images are resized to, and the size of litert. That of "
        "the training images if not given."
    )
    add(parser, "image_size", text, kind=SIZE)
    text = (
        "Write warm-up requests for TensorFlow Serving, which needs the extra "
        "serving. If not given: where it is installed."
    )
    add_switch(parser, "warmup", text)


def run(args: argparse.Namespace) -> None:
    """Writes `OUTPUT/VERSION`, or a file of another format."""
    model = load_model(args.model)
    if args.format == SAVED_MODEL:
        _export_saved_model(model, args)
        return
    from jtr_keras.export.formats import export_file
    from jtr_keras.export.signatures import DEFAULT_SIZE

    path, differences = export_file(
        model.predictor,
        args.output,
        args.format,
        args.image_size or model.image_size or DEFAULT_SIZE,
    )
    print(f"{path}: largest difference from the network, for a random image")
    for name, difference in differences.items():
        print(f"  {name:<16}{difference:.1e}")


def _export_saved_model(model: Any, args: argparse.Namespace) -> None:
    from jtr_keras.export.metadata import read_metadata

    training, metrics = run_record(model_file(args.model))
    path = model.export(
        args.output,
        image_size=args.image_size,
        training=training,
        metrics=metrics,
        warmup=args.warmup,
    )
    print(f"{path}:")
    for name, signature in read_metadata(path)["signatures"].items():
        print(f"  {name:<16}{signature['takes']}")
