"""An exported folder, called like the network."""

import tensorflow as tf

from jtr_keras.export.metadata import load_tasks, read_metadata
from jtr_keras.export.publishing import PathLike, find_saved_model
from jtr_keras.types import Tensor, TensorDict


class SavedPredictor:
    """A SavedModel of this library with the tasks that it predicts.

    Args:
        path: `NAME/VERSION`, or `NAME` for its highest version.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)` in `[0, 1]`.

    Returns:
        Dict of predictions by task name, as of the network.

    Raises:
        ValueError: If there is no SavedModel or it is not of this library.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = find_saved_model(path)
        self.metadata = read_metadata(self.path)
        self.tasks = load_tasks(self.path)
        # Kept, since its functions do not outlive it.
        self._loaded = tf.saved_model.load(str(self.path))

    def __call__(self, images: Tensor) -> TensorDict:
        images = tf.convert_to_tensor(images, tf.float32)
        outputs: TensorDict = self._loaded.signatures["serving_default"](
            images=images
        )
        return outputs
