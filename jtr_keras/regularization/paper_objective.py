"""Joint-Task Regularization as published."""

from collections.abc import Sequence

import keras
from keras import ops

from jtr_keras.ops.freezing import call_frozen
from jtr_keras.ops.noise import gumbel_noise
from jtr_keras.ops.similarity import cosine_distance
from jtr_keras.ops.views import view
from jtr_keras.regularization.joint_autoencoder import JointAutoencoder
from jtr_keras.regularization.joint_objective import (
    Batch,
    JointObjective,
    Sizes,
)
from jtr_keras.regularization.joint_restoration import restoration_error
from jtr_keras.regularization.joint_stacks import NUM_DRAWS, JointView
from jtr_keras.regularization.semantics import REFERENCE, Semantics
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict


class PaperObjective(JointObjective):
    """Two stacks, their distance in the joint space, and their restoration.

    The second view trains the network with the distance in the frozen space,
    the third trains the autoencoder.

    Args:
        semantics: Which oddities of the authors' code to keep.

    Reference:
        - [Nishi et al., 2024](https://arxiv.org/abs/2404.01976)
    """

    num_views = 3
    weights = {"distance": 4.0, "joint_distance": 8.0, "reconstruction": 2.0}
    widths: tuple[int, ...] = (16, 32, 48, 64)
    num_convs: tuple[int, ...] = (1, 1, 1, 1)

    def __init__(self, semantics: Semantics) -> None:
        self.semantics = semantics
        if semantics == REFERENCE:
            self.widths = (64, 128, 256, 512, 512)
            self.num_convs = (2, 2, 3, 3, 3)

    def network(self, tasks: Sequence[Task], sizes: Sizes) -> JointAutoencoder:
        if (sizes.widths is None) != (sizes.num_convs is None):
            raise ValueError(
                "`widths` and `num_convs` go together; got "
                f"widths={sizes.widths}, num_convs={sizes.num_convs}."
            )
        network = JointAutoencoder(
            sizes.widths or self.widths,
            sizes.num_convs or self.num_convs,
            dtype=sizes.dtype,
        )
        channels = sum(task.channels for task in tasks)
        network.build((None, None, None, channels))
        return network

    def draw(
        self,
        tasks: Sequence[Task],
        y_pred: TensorDict,
        seed: keras.random.SeedGenerator,
    ) -> TensorDict:
        """Gumbel noise for every task whose code is a random sample."""
        noise = {}
        for task in tasks:
            if task.sampled and self.semantics.hard_samples:
                batch, _, *shape = ops.shape(y_pred[task.name])
                noise[task.name] = gumbel_noise(
                    (batch, NUM_DRAWS, *shape), seed
                )
        return noise

    def per_image(
        self, network: JointAutoencoder, tasks: Sequence[Task], batch: Batch
    ) -> dict[str, Tensor]:
        first, second = (
            JointView(
                tasks,
                self.semantics,
                {k: view(value, index) for k, value in batch.y_true.items()},
                {k: view(value, index) for k, value in batch.y_pred.items()},
                batch.labelled,
                batch.noise,
            )
            for index in (1, 2)
        )
        distance = _distance(network, first)
        return {"distance": distance} | _autoencode(network, second)


def _distance(autoencoder: JointAutoencoder, view: JointView) -> Tensor:
    """Distance of the stacks in the frozen space; trains the network."""
    predictions = view.prediction_codes(draw=0)
    targets = view.target_codes(view.redraw(predictions, draw=1))
    stacks = [view.stack(targets), view.stack(predictions)]
    inputs = autoencoder.pad(ops.concatenate(stacks, axis=0))
    latent, _ = call_frozen(autoencoder.encoder, inputs)
    return cosine_distance(*ops.split(latent, 2, axis=0))


def _autoencode(autoencoder: JointAutoencoder, view: JointView) -> TensorDict:
    """Distance and reconstruction of detached stacks; trains the layer."""
    predictions = view.prediction_codes(draw=None)
    targets = view.target_codes(view.redraw(predictions, draw=2))
    stacks = [view.stack(targets), view.stack(predictions)]
    inputs = ops.stop_gradient(ops.concatenate(stacks, axis=0))
    latent, decoded = autoencoder(inputs)
    restored = [view.unstack(x) for x in ops.split(decoded, 2, axis=0)]
    return {
        "joint_distance": cosine_distance(*ops.split(latent, 2, axis=0)),
        "reconstruction": restoration_error(view, predictions, *restored),
    }
