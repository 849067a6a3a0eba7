"""`jtr predict`."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import flags
from PIL import Image, ImageOps, UnidentifiedImageError

from jtr_keras.cli.workdir import load_network
from jtr_keras.visualization.picture import picture


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Writes `NAME.png` for every image, colour maps side by side."""
    if not arguments:
        raise ValueError("No image given: jtr predict --model=MODEL IMAGE...")
    names = [pathlib.Path(path).stem for path in arguments]
    if len(set(names)) < len(names):
        raise ValueError(
            f"Images must have distinct names, since OUTPUT/NAME.png is "
            f"written for each; got {list(arguments)}."
        )
    images = [read_image(path) for path in arguments]
    tasks, network = load_network(values.model)
    folder = pathlib.Path(values.output)
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, images, strict=True):
        predictions = {
            task: np.asarray(value)
            for task, value in network(image[None]).items()
        }
        target = folder / f"{name}.png"
        picture(tasks, image[None], predictions=predictions).save(target)
        if values.arrays:
            arrays: Any = {
                task: value[0] for task, value in predictions.items()
            }
            np.savez_compressed(folder / f"{name}.npz", **arrays)
        print(target)


def read_image(path: str) -> Any:
    """A photograph as float32 `(height, width, 3)` in `[0, 1]`.

    Args:
        path: Any file that Pillow reads; its orientation is honoured.

    Returns:
        The array.

    Raises:
        ValueError: If the file is missing or not an image.
    """
    try:
        with Image.open(path) as image:
            rgb = ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}.") from error
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path} is not a readable image: {error}") from error
    return np.asarray(rgb, np.float32) / 255.0
