"""What a `MultiTaskModel` is given, with clear errors."""

import numbers
from collections.abc import Sequence
from typing import Any

from jtr_keras.balancing.balancing import Balancing
from jtr_keras.regularization.composition import A_REGULARIZATION
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.types import require_instance


def require_parts(
    regularization: Any, balancing: Any, supervised_views: Any
) -> None:
    """ValueError if one of them is of another kind; the first two may lack."""
    if regularization is not None:
        require_instance(
            "regularization",
            regularization,
            TaskRegularization,
            f"{A_REGULARIZATION}, or a list of such",
        )
    if balancing is not None:
        require_instance(
            "balancing",
            balancing,
            Balancing,
            "a balancing, such as `jtr_keras.balancing.UncertaintyWeights()`",
        )
    if not _is_positive(supervised_views):
        raise ValueError(
            "`supervised_views` must be a whole number from 1 on; got "
            f"{supervised_views!r}."
        )


def require_size(image_size: Any) -> None:
    """ValueError if it is neither None nor a height and a width."""
    if image_size is None:
        return
    is_pair = isinstance(image_size, Sequence) and len(image_size) == 2
    if not is_pair or not all(map(_is_positive, image_size)):
        raise ValueError(
            "`image_size` must be a pair of whole numbers, (height, width); "
            f"got {image_size!r}."
        )


def _is_positive(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and int(value) > 0
