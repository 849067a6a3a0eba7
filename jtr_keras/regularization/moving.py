"""Predictions of one view as another view shows them."""

from collections.abc import Sequence

from keras import ops

from jtr_keras.ops.resampling import resample
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


def moved(
    task: Task,
    predictions: Tensor,
    geometry: Tensor,
    stride: int = 1,
    image_size: Sequence[int] | None = None,
) -> Tensor:
    """Moves the first view's predictions into another view.

    Values follow the geometry as annotations do: depths shrink by the zoom,
    normals turn with the mirror. Differentiable.

    Args:
        task: Whose predictions they are.
        predictions: Tensor of shape `(batch, height, width, channels)`.
        geometry: `(batch, 4)`, of the other view; see
            `jtr_keras.ops.resample`.
        stride: int. How much coarser the predictions are than the images.
        image_size: Height and width of these, where not those of the cells.

    Returns:
        Tensor of the predictions' shape.
    """
    geometry = ops.cast(geometry, predictions.dtype)
    mirrored, zoom = (geometry[:, i, None, None, None] for i in (0, 1))
    turned = ops.where(mirrored > 0, task.flip(predictions), predictions)
    seen = resample(turned, geometry, stride, image_size)
    return task.rescale(task.renormalize(seen), zoom)
