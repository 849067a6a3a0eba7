"""Cross-task consistency in the joint space of each pair of tasks."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from jtr_keras.layers.conv_block import ConvBlock
from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.noise import gumbel_noise
from jtr_keras.ops.padding import pad_to_multiple
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.ops.similarity import cosine_distance
from jtr_keras.ops.views import view
from jtr_keras.regularization.cross_task.pair_mapping import (
    FrozenFeatures,
    PairMapping,
)
from jtr_keras.regularization.cross_task.task_pairs import (
    gather_pairs,
    max_active_pairs,
    ordered_pairs,
    pair_indices,
    pair_weights,
    select_pairs,
    task_codes,
)
from jtr_keras.regularization.task_regularization import TaskRegularization
from jtr_keras.types import Config, Tensor, TensorDict


@keras.saving.register_keras_serializable(package="jtr_keras")
class CrossTaskConsistency(TaskRegularization):
    """Pulls each prediction without a label towards each label, in pairs.

    For every task `s` without and every task `t` with a label, one network,
    told the pair, maps the prediction of `s` and the label of `t` into a space
    of the pair, where they shall be close to each other and, lest the mapping
    become trivial, to the network's own features, which are held fixed. The
    mapping trains with the network, on the same loss. The cost grows with the
    number of pairs, up to a quarter of the square of the number of tasks.

    Args:
        weight: float. Weight of the term.
        feature_weight: float. Weight of the distances to the features, within
            the term.
        widths: Channels of each level of the mapping. The default is light;
            the paper's are `(64, 128, 256, 512, 512)`.
        num_convs: Convolutions of each level; the paper's are
            `(2, 2, 3, 3, 3)`.
        max_pairs: int. How many pairs are computed for each image; of more,
            some are chosen at random, and weigh more. Defaults to the most that
            any set of labels needs. With one label an image, one less than
            there are tasks is enough.
        film_learning_rate: float. Learning rate of what tells the mapping the
            pair, as a multiple of the optimizer's; see `jtr_keras.layers.FiLM`.
        seed: int or None. Seed of the noise.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        y_true: Dict of targets, `(batch, views, height, width, channels)`.
        y_pred: Dict of predictions, of the same leading shape.
        labelled: Dict of `(batch,)`, above 0 where the image has the label.
        features: `(batch, views, height / r, width / r, channels)`, of images
            that may be padded at the bottom and right; `r` a power of two.
        noise: Optional dict of Gumbel noise for each sampled task,
            `(batch, samples, height, width, channels)`: one sample, or one
            for each of the other tasks as target. By default one is made.

    Returns:
        Dict of the scalar `cross_task`: mean over images, summed over pairs.

    Raises:
        ValueError: If `widths` and `num_convs` differ in length, `max_pairs`
            is not positive, or there are fewer than two tasks.

    Example:

    >>> cross = jtr_keras.regularization.CrossTaskConsistency(weight=1.0)
    >>> cross.loss_weights
    {'cross_task': 1.0}

    Reference:
        - [Li et al., 2022](https://arxiv.org/abs/2111.14893)
    """

    num_views = 2
    required_inputs = ("features",)

    def __init__(
        self,
        weight: float = 2.0,
        feature_weight: float = 0.5,
        widths: Sequence[int] = (16, 32, 48, 64),
        num_convs: Sequence[int] = (1, 1, 1, 1),
        max_pairs: int | None = None,
        film_learning_rate: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_pairs is not None and max_pairs < 1:
            raise ValueError(f"`max_pairs` must be >= 1; got {max_pairs}.")
        self.weight = weight
        self.feature_weight = feature_weight
        self.loss_weights = {"cross_task": weight}
        self.widths = tuple(widths)
        self.num_convs = tuple(num_convs)
        self.max_pairs = max_pairs
        self.film_learning_rate = film_learning_rate
        self.seed = seed

    def build_for_tasks(self) -> None:
        if len(self.tasks) < 2:
            raise ValueError(
                "`CrossTaskConsistency` needs at least two tasks; got "
                f"{[task.name for task in self.tasks]}."
            )
        # Not earlier: its variable must be made where the model's are.
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        dtype = self.dtype_policy
        self.mapping = PairMapping(
            self.widths,
            self.num_convs,
            len(ordered_pairs(len(self.tasks))),
            self.film_learning_rate,
            dtype=dtype,
        )
        self.mapping.build((None, None, None, self.widths[0]))
        # They do not know the pair, so that each map passes only once.
        self.embeddings = [
            ConvBlock(self.widths[0], "instance", dtype=dtype)
            for _ in self.tasks
        ]
        for task, embedding in zip(self.tasks, self.embeddings, strict=True):
            embedding.build((None, None, None, task.channels))
        self.stride = 2 ** len(self.widths)
        self.frozen_features = FrozenFeatures(self.widths[-1])
        channels = self.feature_channels or self.widths[-1]
        self.frozen_features.build((None, None, None, channels))

    def call(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        features: Tensor = None,
        noise: TensorDict | None = None,
    ) -> dict[str, Tensor]:
        losses = self.per_image(y_true, y_pred, labelled, features, noise)
        return {name: image_mean(loss) for name, loss in losses.items()}

    def per_image(
        self,
        y_true: TensorDict,
        y_pred: TensorDict,
        labelled: TensorDict,
        features: Tensor,
        noise: TensorDict | None = None,
    ) -> TensorDict:
        """The term of each image, `(batch,)`: no image sees another."""
        noise = self._sample_noise(y_pred) if noise is None else noise
        codes = {
            task.name: task_codes(
                task,
                view(y_true[task.name], 1),
                view(y_pred[task.name], 1),
                noise.get(task.name),
            )
            for task in self.tasks
        }
        pair, weight = self._choose_pairs(labelled)
        source, target = self._map(codes, pair)
        count = pair.shape[1]
        frozen = self.frozen_features(
            view(features, 1),
            image_size=tuple(y_pred[self.tasks[0].name].shape[2:4]),
            stride=self.stride,
        )
        frozen = ops.repeat(frozen, count, axis=0)
        tie = cosine_distance(source, frozen) + cosine_distance(target, frozen)
        loss = cosine_distance(source, target) + self.feature_weight * tie
        loss = weight * ops.reshape(loss, (-1, count))
        return {"cross_task": ops.sum(loss, axis=1)}

    def get_config(self) -> Config:
        return super().get_config() | {
            "weight": self.weight,
            "feature_weight": self.feature_weight,
            "widths": self.widths,
            "num_convs": self.num_convs,
            "max_pairs": self.max_pairs,
            "film_learning_rate": self.film_learning_rate,
            "seed": self.seed,
        }

    def _choose_pairs(self, labelled: TensorDict) -> tuple[Tensor, Tensor]:
        """Pairs computed for each image and their weights, `(batch, count)`."""
        weights = [
            ops.cast(labelled[task.name], loss_dtype()) for task in self.tasks
        ]
        enough = max_active_pairs(len(self.tasks))
        count = min(self.max_pairs or enough, enough)
        seed = self.seed_generator if count < enough else None
        return select_pairs(pair_weights(weights), count, seed)

    def _map(
        self, codes: dict[str, list[Tensor]], pair: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sources and targets of the pairs in the pairs' spaces.

        Each is `(batch * count, height / 2**levels, width / 2**levels,
        widths[-1])`.
        """
        maps = []
        for task, embedding in zip(self.tasks, self.embeddings, strict=True):
            stack = ops.concatenate(codes[task.name], axis=0)
            maps.append(embedding(pad_to_multiple(stack, self.stride)))
        inputs = gather_pairs(
            ops.concatenate(maps, axis=0),
            pair_indices([len(codes[task.name]) - 1 for task in self.tasks]),
            pair,
        )
        pair = ops.reshape(ops.stack([pair, pair]), (-1,))
        one_hot = ops.one_hot(pair, self.mapping.num_pairs, dtype=inputs.dtype)
        return ops.split(self.mapping(inputs, one_hot), 2, axis=0)

    def _sample_noise(self, y_pred: TensorDict) -> TensorDict:
        """Gumbel noise, one sample for every task whose code is sampled."""
        noise = {}
        for task in self.tasks:
            if task.codec.sampled:
                batch, _, *shape = ops.shape(y_pred[task.name])
                noise[task.name] = gumbel_noise(
                    (batch, 1, *shape), self.seed_generator
                )
        return noise
