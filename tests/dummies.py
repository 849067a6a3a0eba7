"""A method of every kind, in a file of one's own.

Importing it registers them, as `pytest -p tests.dummies` and
`jtr train --import=tests.dummies` do; nothing else knows of them.
"""

import keras
from keras import ops

from jtr_keras.aggregation import AGGREGATIONS, Aggregation
from jtr_keras.balancing import BALANCINGS, Balancing
from jtr_keras.interaction import INTERACTIONS, Features, Interaction
from jtr_keras.ops import image_mean
from jtr_keras.regularization import REGULARIZATIONS, TaskRegularization
from jtr_keras.tasks import TASKS, Task, UnitInterval

register = keras.saving.register_keras_serializable(package="dummies")


@register
class HeatMap(Task):
    """Values from 0 to 1, NaN where there are none."""

    def __init__(self, name="heat"):
        super().__init__(name, UnitInterval())

    def activate(self, logits):
        return ops.sigmoid(logits)

    def error(self, targets, predictions):
        return ops.square(targets - predictions)


@register
class Smoothness(TaskRegularization):
    """Neighbouring predictions without a label are alike."""

    loss_weights = {"smoothness": 0.1}

    def build_for_tasks(self):
        """It has no weights."""

    def call(self, y_true, y_pred, labelled):
        total = 0.0
        for task in self.tasks:
            maps = y_pred[task.name]
            change = ops.square(maps[:, :, 1:] - maps[:, :, :-1])
            change = ops.mean(change, axis=(1, 2, 3, 4))
            unlabelled = ops.cast(labelled[task.name] == 0, change.dtype)
            total += image_mean(unlabelled * change)
        return {"smoothness": total}


@register
class OwnConvolution(Interaction):
    """Features of each task are a convolution of the finest map."""

    def build_for_tasks(self):
        self.convs = {
            task.name: keras.layers.Conv2D(
                self.channels[0], 1, dtype=self.dtype_policy
            )
            for task in self.tasks
        }

    def call(self, inputs, training=None):
        by_task = {name: conv(inputs[0]) for name, conv in self.convs.items()}
        return Features(by_task, inputs[0])


@register
class Halves(Balancing):
    """Every task weighs one half."""

    def weigh(self, losses, label_rates):
        return 0.5 * ops.ones_like(losses)


@register
class Mean(Aggregation):
    """The mean of the gradients of the tasks that have a label."""

    def combine(self, gradients, present):
        count = ops.maximum(ops.sum(present), 1.0)
        return ops.sum(gradients, axis=0) / count


TASKS["dummy"] = HeatMap
REGULARIZATIONS["dummy"] = Smoothness
INTERACTIONS["dummy"] = OwnConvolution
BALANCINGS["dummy"] = Halves
AGGREGATIONS["dummy"] = Mean
