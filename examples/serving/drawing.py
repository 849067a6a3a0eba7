"""Pictures of what a server answers."""

import io

import numpy as np
from PIL import Image

import jtr_keras as jtr


def draw(tasks, photo, predictions):
    """The photograph and a colour map a task, side by side.

    Args:
        tasks: The tasks, as the metadata of the SavedModel tell them.
        photo: Bytes of the image file that was sent.
        predictions: Dict of arrays, `(1, height, width, channels)`.
    """
    height, width = predictions[tasks[0].name].shape[1:3]
    with Image.open(io.BytesIO(photo)) as image:
        image = np.asarray(image.convert("RGB").resize((width, height)))
    return jtr.data.picture(tasks, image[None] / 255, predictions=predictions)
