"""Joint-Task Regularization."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.ops.freezing import call_frozen
from jtr_keras.ops.noise import gumbel_noise
from jtr_keras.ops.similarity import cosine_distance
from jtr_keras.regularization.joint_autoencoder import JointAutoencoder
from jtr_keras.regularization.joint_restoration import restoration_error
from jtr_keras.regularization.joint_stacks import NUM_DRAWS, JointView
from jtr_keras.regularization.semantics import (
    REFERENCE,
    Semantics,
    get_semantics,
)
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.types import Config, Tensor, TensorDict

REFERENCE_SIZES = (64, 128, 256, 512, 512), (2, 2, 3, 3, 3)
LIGHT_SIZES = (16, 32, 48, 64), (1, 1, 1, 1)


@keras.saving.register_keras_serializable(package="jtr_keras")
class JointTaskRegularization(TaskRegularization):
    """Pulls predictions towards the labels in one space joint to all tasks.

    Two stacks along the channels: all predictions, and all labels with
    predictions in place of the missing ones. An autoencoder of such stacks
    trains on the third view of each image; frozen, its encoder measures the
    distance between the two stacks of the second view, which reaches the
    network through the predictions without a label. The first view is left to
    the supervised losses. The cost is constant in the number of tasks but for
    the outermost convolutions.

    Args:
        semantics: `"corrected"`, `"reference"`, which reproduces the authors'
            code, or a `Semantics`.
        distance_weight: float. Weight of the distance that trains the network.
        joint_distance_weight: float. Weight of the distance that trains the
            encoder.
        reconstruction_weight: float. Weight of the autoencoder's error.
        widths: Channels of each level of the autoencoder. Defaults to a light
            one, and to the paper's under `"reference"`.
        num_convs: Convolutions of each level; must be as many.
        seed: Seed of the Gumbel noise, an int or a
            `keras.random.SeedGenerator`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, 3, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        noise: Optional dict of Gumbel noise for each sampled task,
            `(batch, 5, height, width, channels)`; drawn where it is missing.

    Returns:
        Dict of the scalars `distance`, `joint_distance` and `reconstruction`,
        not yet weighted.

    Raises:
        ValueError: If `semantics` is unknown, or if only one of `widths` and
            `num_convs` is given.

    Example:

    >>> tasks = [jtr_keras.tasks.Depth(mean=2.0, stddev=1.0),
    ...          jtr_keras.tasks.SurfaceNormals()]
    >>> jtr = jtr_keras.JointTaskRegularization()
    >>> jtr.bind(tasks)
    >>> y_true = {"depth": tf.ones((2, 3, 16, 16, 1)),
    ...           "normals": tf.zeros((2, 3, 16, 16, 3))}
    >>> labelled = {"depth": tf.ones(2), "normals": tf.zeros(2)}
    >>> y_pred = {"depth": tf.ones((2, 3, 16, 16, 1)),
    ...           "normals": tf.ones((2, 3, 16, 16, 3)) / 3**0.5}
    >>> sorted(jtr(y_true, y_pred, labelled))
    ['distance', 'joint_distance', 'reconstruction']

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    num_views = 3

    def __init__(
        self,
        semantics: str | Semantics = "corrected",
        distance_weight: float = 4.0,
        joint_distance_weight: float = 8.0,
        reconstruction_weight: float = 2.0,
        widths: Sequence[int] | None = None,
        num_convs: Sequence[int] | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**({"autocast": False} | kwargs))
        if (widths is None) != (num_convs is None):
            raise ValueError(
                "`widths` and `num_convs` go together; got "
                f"widths={widths}, num_convs={num_convs}."
            )
        self.semantics = semantics
        self.choices = get_semantics(semantics)
        self.loss_weights = {
            "distance": distance_weight,
            "joint_distance": joint_distance_weight,
            "reconstruction": reconstruction_weight,
        }
        self.widths = None if widths is None else tuple(widths)
        self.num_convs = None if num_convs is None else tuple(num_convs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build_for_tasks(self) -> None:
        light = self.choices != REFERENCE
        widths, num_convs = LIGHT_SIZES if light else REFERENCE_SIZES
        self.autoencoder = JointAutoencoder(
            self.widths or widths,
            self.num_convs or num_convs,
            dtype=self.dtype_policy,
        )
        channels = sum(task.channels for task in self.tasks)
        self.autoencoder.build((None, None, None, channels))

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict | None = None,
    ) -> dict[str, Tensor]:
        losses = self.per_image(y_true, y_pred, labelled, noise)
        return {name: ops.mean(loss) for name, loss in losses.items()}

    def per_image(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        noise: TensorDict | None = None,
    ) -> TensorDict:
        """The terms of each image, `(batch,)`: no image sees another."""
        noise = self._draw(y_pred) if noise is None else noise
        first, second = (
            JointView(
                self.tasks,
                self.choices,
                {name: value[:, index] for name, value in y_true.items()},
                {name: value[:, index] for name, value in y_pred.items()},
                labelled,
                noise,
            )
            for index in (1, 2)
        )
        return {"distance": self._distance(first)} | self._autoencode(second)

    def save_own_variables(self, store: Any) -> None:
        # Keras forgets it, and a resumed run would draw the first noise again.
        store["seed"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store: Any) -> None:
        self.seed_generator.state.assign(store["seed"])

    def get_config(self) -> Config:
        weights = {f"{k}_weight": v for k, v in self.loss_weights.items()}
        return (
            super().get_config()
            | weights
            | {
                "semantics": keras.saving.serialize_keras_object(
                    self.semantics
                ),
                "widths": self.widths,
                "num_convs": self.num_convs,
                "seed": self.seed,
            }
        )

    @classmethod
    def from_config(cls, config: Config) -> "JointTaskRegularization":
        load = keras.saving.deserialize_keras_object
        return cls(**(config | {"semantics": load(config["semantics"])}))

    def _distance(self, view: JointView) -> Tensor:
        """Distance of the stacks in the frozen space; trains the network."""
        predictions = view.prediction_codes(draw=0)
        targets = view.target_codes(view.redraw(predictions, draw=1))
        stacks = [view.stack(targets), view.stack(predictions)]
        inputs = self.autoencoder.pad(ops.concatenate(stacks, axis=0))
        latent, _ = call_frozen(self.autoencoder.encoder, inputs)
        return cosine_distance(*ops.split(latent, 2, axis=0))

    def _autoencode(self, view: JointView) -> TensorDict:
        """Distance and reconstruction of detached stacks; trains the layer."""
        predictions = view.prediction_codes(draw=None)
        targets = view.target_codes(view.redraw(predictions, draw=2))
        stacks = [view.stack(targets), view.stack(predictions)]
        inputs = ops.stop_gradient(ops.concatenate(stacks, axis=0))
        latent, decoded = self.autoencoder(inputs)
        restored = [view.unstack(x) for x in ops.split(decoded, 2, axis=0)]
        return {
            "joint_distance": cosine_distance(*ops.split(latent, 2, axis=0)),
            "reconstruction": restoration_error(view, predictions, *restored),
        }

    def _draw(self, y_pred: TensorDict) -> TensorDict:
        """Gumbel noise for every task whose code is a random sample."""
        noise = {}
        for task in self.tasks:
            if task.sampled and self.choices.hard_samples:
                batch, _, *shape = ops.shape(y_pred[task.name])
                noise[task.name] = gumbel_noise(
                    (batch, NUM_DRAWS, *shape), self.seed_generator
                )
        return noise
