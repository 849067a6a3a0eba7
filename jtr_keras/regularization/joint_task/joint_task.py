"""Joint-Task Regularization."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.freezing import call_frozen
from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.noise import gumbel_noise
from jtr_keras.ops.similarity import cosine_distance
from jtr_keras.ops.views import view
from jtr_keras.regularization.joint_task.joint_autoencoder import (
    JointAutoencoder,
)
from jtr_keras.regularization.joint_task.reconstruction import (
    reconstruction_loss,
)
from jtr_keras.regularization.joint_task.semantics import (
    REFERENCE,
    Semantics,
    get_semantics,
)
from jtr_keras.regularization.joint_task.stacks import NUM_SAMPLES, JointView
from jtr_keras.regularization.task_regularization import (
    TaskRegularization,
    complete_weights,
)
from jtr_keras.types import Config, Tensor, TensorDict

LIGHT = {"widths": (16, 32, 48, 64), "num_convs": (1, 1, 1, 1)}
"""An autoencoder that two cores train; ours."""
PUBLISHED = {"widths": (64, 128, 256, 512, 512), "num_convs": (2, 2, 3, 3, 3)}
"""The paper's."""


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointTaskRegularization(TaskRegularization):
    """Pulls predictions towards the labels of all tasks, in one joint space.

    Predictions and labels of all tasks are stacked along the channels; where an
    image has no label of a task, the network's own prediction takes its place
    in the stack of labels. Both stacks are compared in the latent space of one
    autoencoder: its cost is constant in the number of tasks but for the
    outermost convolutions. The second view of an image trains the network with
    the distance in the frozen space, the third trains the autoencoder.

    Args:
        semantics: `"corrected"`, which applies the paper's idea without the
            oddities of its code; `"reference"`, which reproduces the authors'
            losses and gradients; or a `Semantics`, or a dict of its choices,
            to keep some of the oddities.
        weights: Weights of the terms by name; a term that is left out has the
            paper's weight.
        widths: Channels of each level of the autoencoder. Defaults to a light
            one, and to the paper's under `"reference"`.
        num_convs: Convolutions of each level; goes with `widths`.
        seed: int or None. Seed of the noise.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`,
            three views.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        noise: Optional dict of Gumbel noise for each sampled task,
            `(batch, 5, height, width, channels)`.

    Returns:
        Dict of the scalars `distance`, `joint_distance` and `reconstruction`,
        not yet weighted.

    Raises:
        ValueError: If `semantics` or a term in `weights` is unknown, or
            `widths` and `num_convs` do not go together.

    Example:

    >>> jtr_keras.JointTaskRegularization().loss_weights
    {'distance': 4.0, 'joint_distance': 8.0, 'reconstruction': 2.0}

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    num_views = 3

    def __init__(
        self,
        semantics: str | Semantics | Mapping[str, bool] = "corrected",
        weights: Mapping[str, float] | None = None,
        widths: Sequence[int] | None = None,
        num_convs: Sequence[int] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (widths is None) != (num_convs is None):
            raise ValueError(
                "`widths` and `num_convs` go together; got "
                f"widths={widths}, num_convs={num_convs}."
            )
        self.semantics = semantics
        self.choices = get_semantics(semantics)
        usual = {"distance": 4.0, "joint_distance": 8.0, "reconstruction": 2.0}
        self.loss_weights = complete_weights(usual, weights)
        sizes = PUBLISHED if self.choices == REFERENCE else LIGHT
        self.widths = tuple(widths or sizes["widths"])
        self.num_convs = tuple(num_convs or sizes["num_convs"])
        self.seed = seed

    def build_for_tasks(self) -> None:
        self.autoencoder = JointAutoencoder(
            self.widths, self.num_convs, dtype=self.dtype_policy
        )
        channels = sum(task.channels for task in self.tasks)
        self.autoencoder.build((None, None, None, channels))
        # Not earlier: its variable must be made where the model's are.
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict | None = None,
    ) -> dict[str, Tensor]:
        losses = self.per_image(y_true, y_pred, labelled, noise)
        return {name: image_mean(loss) for name, loss in losses.items()}

    def per_image(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict | None = None,
    ) -> TensorDict:
        """The terms of each image, `(batch,)`: no image sees another."""
        noise = self._sample_noise(y_pred) if noise is None else noise
        second, third = (
            JointView(
                self.tasks,
                self.choices,
                {k: view(value, index) for k, value in y_true.items()},
                {k: view(value, index) for k, value in y_pred.items()},
                labelled,
                noise,
            )
            for index in (1, 2)
        )
        return {"distance": self._distance(second)} | self._autoencode(third)

    def get_config(self) -> Config:
        semantics = keras.saving.serialize_keras_object(self.semantics)
        return super().get_config() | {
            "semantics": semantics,
            "weights": self.loss_weights,
            "widths": self.widths,
            "num_convs": self.num_convs,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: Config) -> "JointTaskRegularization":
        load = keras.saving.deserialize_keras_object
        return cls(**(config | {"semantics": load(config["semantics"])}))

    def _distance(self, view: JointView) -> Tensor:
        """Distance of the stacks in the frozen space; trains the network."""
        predictions = view.prediction_codes(sample=0)
        targets = view.target_codes(view.sample_again(predictions, sample=1))
        stacks = [view.stack(targets), view.stack(predictions)]
        inputs = self.autoencoder.pad(ops.concatenate(stacks, axis=0))
        latent, _ = call_frozen(self.autoencoder.encoder, inputs)
        return cosine_distance(*ops.split(latent, 2, axis=0))

    def _autoencode(self, view: JointView) -> TensorDict:
        """Distance and reconstruction of detached stacks; trains the layer."""
        predictions = view.prediction_codes(sample=None)
        targets = view.target_codes(view.sample_again(predictions, sample=2))
        stacks = [view.stack(targets), view.stack(predictions)]
        inputs = ops.stop_gradient(ops.concatenate(stacks, axis=0))
        latent, decoded = self.autoencoder(inputs)
        decoded = [view.unstack(x) for x in ops.split(decoded, 2, axis=0)]
        return {
            "joint_distance": cosine_distance(*ops.split(latent, 2, axis=0)),
            "reconstruction": reconstruction_loss(view, predictions, *decoded),
        }

    def _sample_noise(self, y_pred: TensorDict) -> TensorDict:
        """Gumbel noise for every task whose code is a random sample."""
        noise = {}
        for task in self.tasks:
            if task.codec.sampled and self.choices.hard_samples:
                batch, _, *shape = ops.shape(y_pred[task.name])
                noise[task.name] = gumbel_noise(
                    (batch, NUM_SAMPLES, *shape), self.seed_generator
                )
        return noise
