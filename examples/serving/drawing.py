"""Pictures of what a server answers."""

import io

import numpy as np
from PIL import Image

import jtr_keras as jtr


def draw(model, photo, codes):
    """The photograph and a colour map a task, side by side.

    Args:
        model: Folder of the SavedModel; its metadata say what the codes mean.
        photo: Bytes of the image file that was sent.
        codes: Dict of answers of `classes_bytes`, `(height, width, channels)`.
    """
    tasks = jtr.export.load_tasks(model)
    predictions = {
        task.name: task.expand(np.asarray(codes[task.name], int))[None]
        for task in tasks
    }
    height, width = predictions[tasks[0].name].shape[1:3]
    with Image.open(io.BytesIO(photo)) as image:
        image = np.asarray(image.convert("RGB").resize((width, height)))
    return jtr.data.picture(tasks, image[None] / 255, predictions=predictions)
