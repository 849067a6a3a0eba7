"""Writes a model's predictions for images as pictures, side by side."""

import argparse
import pathlib
from collections.abc import Sequence
from typing import Any

from jtr_keras.cli.arguments import FOLDER, add, add_switch
from jtr_keras.cli.model_file import (
    add_model,
    holds_saved_model,
    load_network,
    model_file,
)


def add_arguments(parser: Any) -> None:
    """Adds the flags of `jtr predict`."""
    parser.usage = "%(prog)s --model=MODEL [FLAGS] IMAGE..."
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="Images.")
    add_model(parser, "; or a SavedModel")
    text = "Folder for the pictures."
    add(parser, "output", text, "predictions", FOLDER)
    text = "Also write the predictions as NAME.npz."
    add_switch(parser, "arrays", text, False)


def run(args: argparse.Namespace) -> None:
    """Writes `NAME.png` for every image, colour maps side by side."""
    _require_images(args.images)
    if not holds_saved_model(args.model):
        model_file(args.model)
    import numpy as np

    from jtr_keras.visualization.picture import picture

    images = [read_image(path) for path in args.images]
    tasks, network = load_network(args.model)
    folder = pathlib.Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    for path, image in zip(args.images, images, strict=True):
        predictions = {
            task: np.asarray(value)
            for task, value in network(image[None]).items()
        }
        target = folder / f"{pathlib.Path(path).stem}.png"
        picture(tasks, image[None], predictions=predictions).save(target)
        if args.arrays:
            arrays: Any = {
                task: value[0] for task, value in predictions.items()
            }
            np.savez_compressed(target.with_suffix(".npz"), **arrays)
        print(target)


def _require_images(paths: Sequence[str]) -> None:
    names = [pathlib.Path(path).stem for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(
            "Images must have distinct names, since OUTPUT/NAME.png is "
            f"written for each; got {list(paths)}."
        )
    for path in paths:
        if not pathlib.Path(path).is_file():
            raise ValueError(f"There is no file {path}.")


def read_image(path: str) -> Any:
    """A photograph as float32 `(height, width, 3)` in `[0, 1]`.

    Args:
        path: Any file that Pillow reads; its orientation is honoured.

    Returns:
        The array.

    Raises:
        ValueError: If the file is not an image.
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            rgb = ImageOps.exif_transpose(image).convert("RGB")
    except OSError as error:  # Pillow's own is one.
        raise ValueError(f"{path} is not a readable image: {error}") from error
    return np.asarray(rgb, np.float32) / 255.0
