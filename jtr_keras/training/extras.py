"""What a regularization needs beside predictions and targets."""

from typing import Any

from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.training.batches import fold_views, unfold_views
from jtr_keras.training.teacher import Teacher
from jtr_keras.types import GEOMETRY, Tensor, TensorDict


def collect_extras(
    regularization: TaskRegularization,
    predictor: DensePredictor,
    teacher: Teacher | None,
    images: Tensor,
    features: Tensor,
    y_true: TensorDict,
) -> dict[str, Any]:
    """The arguments that `TaskRegularization.needs` lists.

    Args:
        regularization: Who needs them.
        predictor: The network.
        teacher: Its average, if the regularization needs one.
        images: Tensor of shape `(batch, views, height, width, 3)`.
        features: The network's shared features, all views in the batch axis.
        y_true: Dict of targets, and how views were made.

    Returns:
        Dict by the names in `needs`.

    Raises:
        ValueError: If it is needed how views were made, and it is not known.
    """
    needs = regularization.needs
    if "geometry" in needs and GEOMETRY not in y_true:
        raise ValueError(
            f"`regularization` needs to know how views were made: "
            f"`y[{GEOMETRY!r}]`, (batch, views, 4), which the datasets of "
            f"this library and `jtr_keras.data.with_views` tell; got "
            f"{sorted(y_true)}."
        )
    extras: dict[str, Any] = {
        "geometry": y_true.get(GEOMETRY),
        "features": unfold_views({"": features}, images.shape[1])[""],
    }
    if teacher is not None:
        views = regularization.teacher_views
        first = fold_views(images[:, :views])
        extras["teacher"] = unfold_views(
            teacher.predict(predictor, first), views
        )
    return {name: extras[name] for name in needs}


def require_views(needed: int, views: int | None) -> None:
    """ValueError if the training data have fewer views than needed.

    Args:
        needed: How many must be there.
        views: How many there are; None if the shape does not say.
    """
    if views is None:
        raise ValueError(
            "`x` must have a known number of views, (batch, views, height, "
            "width, 3); call `set_shape` on it where the dataset is made."
        )
    if views < needed:
        raise ValueError(
            f"`regularization` and `supervised_views` need {needed} views "
            f"of each image; the training data have {views}. Pass "
            f"`num_views={needed}` where the dataset is made, or draw them by "
            "`jtr_keras.data.with_views`."
        )
