"""Terms that grow from 0 in the first steps."""

from typing import Any

from keras import ops

from jtr_keras.types import Tensor


def growth(steps: Any, warm_up: int) -> Tensor:
    """Share of a term's weight at this step, which it counts.

    Args:
        steps: A variable that counts the steps, begun with 0.
        warm_up: int. Steps until the share is 1; 0 for 1 at once.

    Returns:
        Scalar in `(0, 1]`.
    """
    share = ops.minimum(1.0, (steps + 1.0) / max(warm_up, 1))
    steps.assign_add(1.0)
    return share
