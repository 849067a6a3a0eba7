"""Joint-Task Regularization."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from jtr_keras.ops.masking import image_mean
from jtr_keras.regularization.joint_objective import (
    Batch,
    JointObjective,
    Sizes,
)
from jtr_keras.regularization.paper_objective import PaperObjective
from jtr_keras.regularization.restoring_objective import RestoringObjective
from jtr_keras.regularization.semantics import CORRECTED, REFERENCE, Semantics
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.regularization.warm_up import growth
from jtr_keras.types import Config, Tensor, TensorDict

OBJECTIVES: dict[str, JointObjective] = {
    "restored": RestoringObjective(),
    "corrected": PaperObjective(CORRECTED),
    "reference": PaperObjective(REFERENCE),
}
"""What `semantics` may be by name."""
GROWING = "distance"
"""The term that trains the network alone."""


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointTaskRegularization(TaskRegularization):
    """Pulls predictions towards a joint target of all tasks, in one space.

    Predictions and labels of all tasks are stacked along the channels, and
    one network makes of such stacks what predictions are compared with. Its
    cost is constant in the number of tasks but for the outermost convolutions.

    As published (`"reference"`, `"corrected"`), it is an autoencoder, stacks
    are compared in its latent space, and the network's own predictions take
    the place of missing labels, so that target and prediction of an unlabelled
    task are copies. The default, `"restored"`, is ours: a restorer says from
    predictions for another view and from the labels there are what the missing
    ones may be, and predictions are compared with that; see `docs/jtr.md` for
    both.

    Args:
        semantics: `"restored"`, `"corrected"`, `"reference"`, which reproduces
            the authors' code, or a `Semantics`, or a dict of its choices.
        weights: Weights of the terms by name; a term that is left out has its
            usual weight.
        widths: Channels of each level of the autoencoder, or of each
            convolution of the restorer. Defaults to small ones, and to the
            paper's under `"reference"`.
        num_convs: Convolutions of each level of the autoencoder; goes with
            `widths`, and not with `"restored"`.
        stride: int. How much coarser the stacks are than images; 1 but for
            `"restored"`, where it defaults to 4.
        warm_up: int. Steps in which the term that trains the network grows
            from 0. Defaults to 1000 for `"restored"`, as predictions are poor
            at first, and to 0.
        seed: int or None. Seed of the random numbers.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`; two
            views, or three as published.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        noise: Optional random numbers, as `JointObjective.draw` makes them.
        **extras: `geometry` where `needs` lists it.

    Returns:
        Dict of scalars, not yet weighted: `distance` and `reconstruction`,
        and `joint_distance` as published.

    Raises:
        ValueError: If `semantics` or a term in `weights` is unknown, if
            `stride` is given where it must be 1, or, when it is bound to
            tasks, if `widths` and `num_convs` do not go together.

    Example:

    >>> jtr_keras.JointTaskRegularization("corrected").loss_weights
    {'distance': 4.0, 'joint_distance': 8.0, 'reconstruction': 2.0}

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    def __init__(
        self,
        semantics: str | Semantics | Mapping[str, bool] = "restored",
        weights: Mapping[str, float] | None = None,
        widths: Sequence[int] | None = None,
        num_convs: Sequence[int] | None = None,
        stride: int | None = None,
        warm_up: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.semantics = semantics
        objective = self.objective = get_objective(semantics)
        self.num_views = objective.num_views
        self.needs = objective.needs  # type: ignore[misc]
        self.loss_weights = _complete(objective.weights, weights or {})
        self.widths = widths and tuple(widths)
        self.num_convs = num_convs and tuple(num_convs)
        self.stride = objective.stride if stride is None else stride
        if objective.stride == 1 != self.stride:
            raise ValueError(
                f"`stride` must be 1 with semantics={semantics!r}; got "
                f"{stride}."
            )
        if self.stride < 1:
            raise ValueError(f"`stride` must be at least 1; got {stride}.")
        self.warm_up = objective.warm_up if warm_up is None else warm_up
        self.seed = seed

    def build_for_tasks(self) -> None:
        sizes = Sizes(
            self.widths, self.num_convs, self.stride, self.dtype_policy
        )
        self.autoencoder = self.objective.network(self.tasks, sizes)
        # Not earlier: its variable must be made where the model's are.
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.steps = self.add_state("steps", ())

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict | None = None,
        **extras: Any,
    ) -> dict[str, Tensor]:
        losses = self.per_image(y_true, y_pred, labelled, noise, **extras)
        self.objective.remember(self.autoencoder, losses)
        share = growth(self.steps, self.warm_up)
        return {
            name: (share if name == GROWING else 1.0) * image_mean(losses[name])
            for name in self.loss_weights
        }

    def per_image(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict | None = None,
        **extras: Any,
    ) -> TensorDict:
        """The terms of each image, `(batch,)`: no image sees another.

        Beside them, what `JointObjective.remember` needs.
        """
        if noise is None:
            noise = self.objective.draw(self.tasks, y_pred, self.seed_generator)
        batch = Batch(y_true, y_pred, labelled, noise, extras)
        return self.objective.per_image(self.autoencoder, self.tasks, batch)

    def get_config(self) -> Config:
        semantics = keras.saving.serialize_keras_object(self.semantics)
        return super().get_config() | {
            "semantics": semantics,
            "weights": self.loss_weights,
            "widths": self.widths,
            "num_convs": self.num_convs,
            "stride": self.stride,
            "warm_up": self.warm_up,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: Config) -> "JointTaskRegularization":
        load = keras.saving.deserialize_keras_object
        return cls(**(config | {"semantics": load(config["semantics"])}))


def get_objective(
    semantics: str | Semantics | Mapping[str, bool],
) -> JointObjective:
    """The objective of that name in `OBJECTIVES`, or with these oddities."""
    if isinstance(semantics, Mapping):
        semantics = Semantics(**semantics)
    if isinstance(semantics, Semantics):
        return PaperObjective(semantics)
    if semantics not in OBJECTIVES:
        raise ValueError(
            f"`semantics` must be one of {sorted(OBJECTIVES)} or a "
            f"`Semantics`; got {semantics!r}."
        )
    return OBJECTIVES[semantics]


def _complete(
    usual: Mapping[str, float], given: Mapping[str, float]
) -> dict[str, float]:
    unknown = sorted(set(given) - set(usual))
    if unknown:
        raise ValueError(
            f"`weights` must be for the terms {sorted(usual)}; got {unknown}."
        )
    return {**usual, **given}
