"""Pictures of what a server answers."""

import io

import numpy as np
from PIL import Image

from jtr_keras.visualization import picture


def draw(tasks, photo, targets=None, predictions=None):
    """The photograph and a colour map a task, side by side.

    Args:
        tasks: The tasks, as the metadata of the SavedModel describe them.
        photo: Bytes of the image file that was sent.
        targets: Dict of small answers by task, dequantized, `(1, height,
            width, task.target_channels)`.
        predictions: Or dict of predictions, `(1, height, width,
            task.channels)`.
    """
    maps = targets or predictions
    height, width = maps[tasks[0].name].shape[1:3]
    with Image.open(io.BytesIO(photo)) as image:
        image = np.asarray(image.convert("RGB").resize((width, height)))
    return picture(tasks, image[None] / 255, targets, predictions=predictions)
