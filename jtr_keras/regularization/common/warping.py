"""What another view of an image shows of the first one's predictions."""

from collections.abc import Sequence

from keras import ops

from jtr_keras.ops.resampling import resample
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor


def warp_to_view(
    task: Task,
    predictions: Tensor,
    geometry: Tensor,
    stride: int = 1,
    image_size: Sequence[int] | None = None,
) -> Tensor:
    """Warps the first view's predictions to another view.

    Values follow the geometry as annotations do: depths shrink by the zoom,
    normals turn with the mirror. Differentiable.

    Args:
        task: Whose predictions they are.
        predictions: Tensor of shape `(batch, height, width, channels)`.
        geometry: `(batch, 4)`, of the other view; see
            `jtr_keras.ops.resample`.
        stride: int. How much coarser the predictions are than the images.
        image_size: Height and width of the images. Defaults to the size of
            the predictions times `stride`.

    Returns:
        Tensor of the predictions' shape.
    """
    geometry = ops.cast(geometry, predictions.dtype)
    mirrored, zoom = (geometry[:, i, None, None, None] for i in (0, 1))
    turned = ops.where(mirrored > 0, task.flip(predictions), predictions)
    seen = resample(turned, geometry, stride, image_size)
    return task.rescale(task.codec.project(seen), zoom)
