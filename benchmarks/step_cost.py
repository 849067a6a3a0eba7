"""Times one training step of a method on Rooms, and weighs the process.

    python -m benchmarks.step_cost --regularization=joint_task

Prints a JSON object with the median seconds of a step (`median_s`) and the
largest resident size of the process (`peak_mib`). Batches come from memory.
"""

import json
import resource
import statistics
import time

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import jtr_keras as jtr
from jtr_keras.data import get_dataset
from jtr_keras.regularization import REGULARIZATIONS

FLAGS = flags.FLAGS


def main(_):
    tasks = get_dataset("rooms").make_tasks(FLAGS.tasks)
    options = json.loads(FLAGS.regularization_options)
    makers = {"none": lambda: None} | REGULARIZATIONS
    model = jtr.MultiTaskModel(
        jtr.models.UNet((32, 64, 128, 128), stem_strides=4),
        tasks,
        makers[FLAGS.regularization](**options),
        head_filters=32,
        supervised_views=FLAGS.views,
    )
    model.compile(keras.optimizers.Adam(1e-4), jit_compile=FLAGS.xla)
    data = jtr.data.rooms(
        "train",
        tasks,
        labels=FLAGS.labels,
        num_views=max(FLAGS.views, model.num_views),
        batch_size=FLAGS.batch_size,
    )
    batches = tf.data.Dataset.from_tensors(next(iter(data))).repeat()
    timer = Timer()
    model.fit(
        batches, steps_per_epoch=FLAGS.steps + 3, callbacks=[timer], verbose=0
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "regularization": FLAGS.regularization,
                "tasks": len(tasks),
                "labels": FLAGS.labels,
                "median_s": statistics.median(timer.seconds[3:]),
                "quartiles_s": list(
                    np.quantile(timer.seconds[3:], [0.25, 0.75])
                ),
                "peak_mib": peak,
            }
        )
    )


class Timer(keras.callbacks.Callback):
    """Keeps the seconds of every step."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self.begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self.begin)


def define_flags():
    flags.DEFINE_string("regularization", "none", "As in `jtr train`.")
    flags.DEFINE_string("regularization_options", "{}", "Its arguments, JSON.")
    flags.DEFINE_list("tasks", None, "Tasks of Rooms; the usual three if none.")
    flags.DEFINE_string("labels", "onelabel", "Label setting.")
    flags.DEFINE_integer("views", 2, "Views of each image, all supervised.", 1)
    flags.DEFINE_integer("batch_size", 4, "Images of a batch.", 1)
    flags.DEFINE_integer("steps", 20, "Steps that are timed.", 1)
    flags.DEFINE_bool("xla", False, "Whether to compile by XLA.")


if __name__ == "__main__":
    define_flags()
    app.run(main)
