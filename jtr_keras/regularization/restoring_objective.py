"""Joint-Task Regularization towards restored labels; ours."""

from collections.abc import Sequence

import keras
from keras import ops

from jtr_keras.ops.masking import image_mean
from jtr_keras.ops.precision import loss_dtype
from jtr_keras.regularization.coarse_stacks import CoarseStacks
from jtr_keras.regularization.hidden_labels import (
    denoising_errors,
    hide,
    means,
    restoration_errors,
)
from jtr_keras.regularization.joint_objective import (
    Batch,
    JointObjective,
    Sizes,
)
from jtr_keras.regularization.joint_restorer import JointRestorer
from jtr_keras.tasks.task import Task
from jtr_keras.types import Tensor, TensorDict

HIDING = "hiding"
"""Key of the random numbers that say which label of an image is hidden."""
ALONE, TOGETHER = "alone", "together"
"""Keys of the errors of each task at hidden labels, `(batch, tasks)`.

They are those without and with evidence.
"""


class RestoringObjective(JointObjective):
    """A joint target of labels and of what they tell about missing ones.

    The network predicts all tasks for the first view; moved into the second,
    its predictions and the labels there are enough for a restorer to say what
    the missing labels are. The second view's predictions learn from that
    wherever there is no annotation. The restorer learns to find one label of
    each image that is hidden from it; how much better it does so with the
    image's other labels than without says how much a task's targets weigh.
    Stacks are means over cells of `stride` pixels a side.
    """

    num_views = 2
    needs = ("geometry",)
    weights = {"distance": 1.0, "reconstruction": 1.0}
    widths = (24, 24)
    stride = 4
    warm_up = 1000

    def network(self, tasks: Sequence[Task], sizes: Sizes) -> JointRestorer:
        if sizes.num_convs is not None:
            raise ValueError(
                "`num_convs` is for the published semantics; got "
                f"{tuple(sizes.num_convs)} with 'restored'."
            )
        channels = sum(task.channels for task in tasks)
        size = (None, None, None)
        network = JointRestorer(
            sizes.widths or self.widths, sizes.stride, dtype=sizes.dtype
        )
        network.build((*size, channels), (*size, channels + len(tasks)))
        return network

    def draw(
        self,
        tasks: Sequence[Task],
        y_pred: TensorDict,
        seed: keras.random.SeedGenerator,
    ) -> TensorDict:
        """Of an image's labels, that with the largest number is hidden."""
        batch = ops.shape(y_pred[tasks[0].name])[0]
        shape = (batch, len(tasks))
        uniform = keras.random.uniform(shape, dtype=loss_dtype(), seed=seed)
        return {HIDING: uniform}

    def per_image(
        self, network: JointRestorer, tasks: Sequence[Task], batch: Batch
    ) -> dict[str, Tensor]:
        stacks = CoarseStacks.of(tasks, batch, network.stride)
        hidden = hide(tasks, batch.labelled, batch.noise[HIDING])
        left = [a * (1 - h) for a, h in zip(stacks.known, hidden, strict=True)]
        where = [a * h for a, h in zip(stacks.known, hidden, strict=True)]
        denoised = stacks.denoise(network)
        fixed = [ops.stop_gradient(code) for code in denoised]
        targets, found = stacks.restore(network, fixed, stacks.known, left)
        errors = denoising_errors(stacks, where, denoised)
        alone = restoration_errors(stacks, where, stacks.settle(fixed))
        together = restoration_errors(stacks, where, found)
        return {
            "distance": _distance(network, stacks, targets),
            "reconstruction": ops.sum(errors + together, axis=-1),
            ALONE: alone,
            TOGETHER: together,
        }

    def remember(self, network: JointRestorer, losses: TensorDict) -> None:
        alone, together = (image_mean(losses[key]) for key in (ALONE, TOGETHER))
        network.trust.update(before=alone, after=together)


def _distance(
    network: JointRestorer, stacks: CoarseStacks, targets: Sequence[Tensor]
) -> Tensor:
    """How far predictions are from targets where there is no label."""
    # Without a label there was no evidence to trust.
    weights = 1.0 + stacks.helped * (network.trust.factors() - 1.0)
    targets = [ops.clip(ops.stop_gradient(code), 0.0, 1.0) for code in targets]
    maps = zip(stacks.tasks, targets, stacks.predictions, strict=True)
    apart = [task.soft_error(a, b) for task, a, b in maps]
    unknown = [1 - known for known in stacks.known]
    return ops.sum(weights * means(unknown, apart), axis=-1)
