"""What the network says of a batch, for the losses."""

from typing import Any, NamedTuple

from keras import ops

from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.ops.images import require_shape
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.training.batch import Batch, fold_views, unfold_views
from jtr_keras.training.teacher import Teacher
from jtr_keras.types import GEOMETRY, Tensor, TensorDict


class Forward(NamedTuple):
    """Outputs of the network for all views of a batch.

    Args:
        y_pred: Dict of predictions by task, `(batch, views, height, width,
            channels)`.
        features: The network's shared features, `(batch, views, height / r,
            width / r, channels)`.
        auxiliary: Further predictions like `y_pred`, by name.
        added: What layers added to the loss, such as a `kernel_regularizer`.
    """

    y_pred: TensorDict
    features: Tensor
    auxiliary: dict[str, TensorDict]
    added: Tensor


def forward(
    predictor: DensePredictor,
    images: Tensor,
    labelled: TensorDict | None = None,
) -> Forward:
    """Runs the network on all views at once, in training mode.

    Args:
        predictor: The network.
        images: Tensor of shape `(batch, views, height, width, 3)`.
        labelled: Dict of weights by task, `(batch,)`, for interactions that
            use it.
    """
    views = images.shape[1]
    if labelled is not None:
        labelled = {k: ops.repeat(v, views) for k, v in labelled.items()}
    outputs = predictor.outputs(fold_views(images), True, labelled)
    # Now: in a teacher's pass layers forget those of this one.
    losses = [ops.cast(loss, loss_dtype()) for loss in predictor.losses]
    return Forward(
        y_pred=unfold_views(outputs.predictions, views),
        features=unfold_views(outputs.features, views),
        auxiliary=unfold_views(outputs.auxiliary, views),
        added=sum(map(ops.sum, losses), start=0.0),
    )


def regularization_terms(
    regularization: TaskRegularization | None,
    batch: Batch,
    outputs: Forward,
    predictor: DensePredictor,
    teacher: Teacher | None,
) -> TensorDict:
    """The terms of the regularization, not yet weighted.

    Args:
        regularization: It, or None for no terms.
        batch: The batch.
        outputs: What the network says of it.
        predictor: The network.
        teacher: Its average, where the regularization requires one.

    Raises:
        ValueError: If it is required how views were made, and it was not told,
            or if other terms came than have a weight.
    """
    if regularization is None:
        return {}
    names = regularization.required_inputs
    if GEOMETRY in names and batch.geometry is None:
        raise ValueError(
            "`regularization` requires to know how views were made: `x` must "
            f"be a dict with {GEOMETRY!r}, (batch, views, 4), as the datasets "
            "of this library and `jtr_keras.data.with_views` make it."
        )
    inputs: dict[str, Any] = {
        GEOMETRY: batch.geometry,
        "features": outputs.features,
    }
    if teacher is not None:
        views = regularization.teacher_views
        first = fold_views(batch.images[:, :views])
        inputs["teacher"] = unfold_views(
            teacher.predict(predictor, first), views
        )
    terms: TensorDict = regularization(
        batch.targets,
        outputs.y_pred,
        batch.labelled,
        **{name: inputs[name] for name in names},
    )
    _require_terms(regularization, terms)
    return terms


def _require_terms(regularization: TaskRegularization, terms: Any) -> None:
    expected = sorted(regularization.loss_weights)
    found = sorted(terms) if isinstance(terms, dict) else type(terms)
    if found != expected:
        raise ValueError(
            f"`{type(regularization).__name__}.call` must return a dict of the "
            f"terms in its `loss_weights`, {expected}; got {found}."
        )
    for name, term in terms.items():
        # A map would weigh every other loss by the number of its pixels.
        what = f"{type(regularization).__name__}.call()[{name!r}]"
        require_shape(what, term, ())
