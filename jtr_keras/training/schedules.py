"""Learning rates over a run, by name."""

from typing import Any

import keras

WARM_UP = 0.05
"""Share of the steps in which `"cosine"` rises to its peak."""


def learning_rate(name: str, peak: float, steps: int) -> Any:
    """A learning rate for a Keras optimizer.

    A function of the optimizer's iterations alone, so that a resumed run goes
    on as an uninterrupted one.

    Args:
        name: `"constant"`; `"cosine"`, down to 0 after a linear warm-up; or
            `"halved"` half-way, as in the paper's recipe.
        peak: float. Largest rate.
        steps: int. Steps of the whole run.

    Returns:
        A float or a `keras.optimizers.schedules.LearningRateSchedule`.

    Raises:
        ValueError: If the name is unknown.

    Example:

    >>> rate = jtr_keras.training.learning_rate("halved", 1e-3, steps=100)
    >>> round(float(rate(60)), 6)
    0.0005
    """
    schedules: Any = {
        "constant": lambda: peak,
        "cosine": lambda: keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(steps - int(WARM_UP * steps), 1),
            warmup_target=peak,
            warmup_steps=max(int(WARM_UP * steps), 1),
        ),
        "halved": lambda: keras.optimizers.schedules.PiecewiseConstantDecay(
            [steps // 2], [peak, peak / 2]
        ),
    }
    if name not in schedules:
        raise ValueError(
            f"`name` must be one of {sorted(schedules)}; got {name!r}."
        )
    return schedules[name]()
