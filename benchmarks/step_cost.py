"""Times one training step of a method on Rooms, and weighs the process.

    python -m benchmarks.step_cost --regularization=label_restoration
    python -m benchmarks.step_cost --regularization=label_restoration \
        --against=none

Prints a JSON object with the median seconds of a step (`median_s`) and the
largest resident size of the process (`peak_mib`). With `--against` the steps of
both methods take turns in one process, whose size is then that of both and not
printed, and `extra_percent` is by how much one takes longer than the other: the
median over turns, and its quartiles. Batches come from memory.
"""

import json
import resource
import time

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import jtr_keras as jtr
from benchmarks.methods import VIEWS
from benchmarks.probing import make_network
from jtr_keras.regularization import REGULARIZATIONS

FLAGS = flags.FLAGS
STEPS_A_TURN = 4


def main(_):
    options = json.loads(FLAGS.regularization_options)
    steps = [Steps(FLAGS.regularization, options)]
    if FLAGS.against:
        steps.append(Steps(FLAGS.against, {}))
    turns = np.array(
        [
            [each.median(STEPS_A_TURN) for each in steps]
            for _ in range(-(-FLAGS.steps // STEPS_A_TURN))
        ]
    )
    result = {
        "regularization": FLAGS.regularization,
        "tasks": len(steps[0].model.tasks),
        "labels": FLAGS.labels,
        "median_s": float(np.median(turns[:, 0])),
        "quartiles_s": np.quantile(turns[:, 0], [0.25, 0.75]).tolist(),
    }
    if FLAGS.against:
        extra = 100 * (turns[:, 0] / turns[:, 1] - 1)
        result |= {
            "against": FLAGS.against,
            "extra_percent": float(np.median(extra)),
            "extra_quartiles": np.quantile(extra, [0.25, 0.75]).tolist(),
        }
    else:
        used = resource.getrusage(resource.RUSAGE_SELF)
        result["peak_mib"] = used.ru_maxrss / 1024
    print(json.dumps(result))


class Steps:
    """A model, and a batch that it is trained on again and again."""

    def __init__(self, regularization, options):
        strategy = None
        if regularization != "none":
            strategy = REGULARIZATIONS.make(regularization, options)
        self.model = make_network(FLAGS.tasks, strategy, FLAGS.views)
        self.model.compile(keras.optimizers.Adam(1e-4), jit_compile=FLAGS.xla)
        data = jtr.data.rooms(
            "train",
            self.model.tasks,
            labels=FLAGS.labels,
            num_views=max(FLAGS.views, self.model.num_views),
            batch_size=FLAGS.batch_size,
        )
        batches = tf.data.Dataset.from_tensors(next(iter(data))).repeat()
        self.batches = iter(batches)
        self.model.make_train_function()
        self.step = self.model.train_function
        self.median(3)  # Traces, and fills the caches.

    def median(self, count):
        """Median seconds of that many steps."""
        seconds = []
        for _ in range(count):
            begin = time.perf_counter()
            logs = self.step(self.batches)
            tf.nest.map_structure(np.asarray, logs)
            seconds.append(time.perf_counter() - begin)
        return float(np.median(seconds))


def define_flags():
    names = ["none", *REGULARIZATIONS]
    flags.DEFINE_enum("regularization", "none", names, "What is timed.")
    flags.DEFINE_string("regularization_options", "{}", "Its arguments, JSON.")
    flags.DEFINE_enum("against", None, names, "What it takes turns with.")
    flags.DEFINE_list("tasks", None, "Tasks of Rooms; the usual three if none.")
    flags.DEFINE_string("labels", "onelabel", "Label setting.")
    flags.DEFINE_integer(
        "views", VIEWS, "Views of an image, all supervised.", 1
    )
    flags.DEFINE_integer("batch_size", 4, "Images of a batch.", 1)
    flags.DEFINE_integer("steps", 20, "Steps that are timed.", 1)
    flags.DEFINE_bool("xla", False, "Whether to compile by XLA.")


if __name__ == "__main__":
    define_flags()
    app.run(main)
