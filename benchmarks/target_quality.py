"""How good is what takes the place of missing labels.

    python -m benchmarks.target_quality --labels=randomlabels

Trains on a part of Rooms, stops after some numbers of steps, and compares, on
images that were held out and whose labels are all known, what label restoration
would put in the place of those that a label setting takes away. Prints the mean
`Codec.distance` of each task to the hidden labels, and, as its last line, a
JSON object. That distance is the squared difference of codes, summed over
channels: of probabilities for segmentation; four times as much for a
regression, whose codes then count as values from -1 to 1; twice as much for
normals, which is 1 - cosine where both are unit vectors.
"""

import json

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.probing import (
    define_training_flags,
    look,
    make_model,
    train_to,
    unchanged,
)
from jtr_keras.data import DATASETS, label_matrix
from jtr_keras.regularization.common.encoding import split_by_task
from jtr_keras.regularization.label_restoration.stacks import CoarseStacks

FLAGS = flags.FLAGS


def main(_):
    keras.utils.set_random_seed(FLAGS.seed)
    model = make_model("label_restoration", "{}")
    source = DATASETS["rooms"].open("", FLAGS.val_split)
    matrix = label_matrix(FLAGS.labels, source, model.tasks, FLAGS.seed)
    size = FLAGS.batch_size
    probes = list(
        zip(
            DATASETS["rooms"].load(
                "",
                FLAGS.val_split,
                tasks=model.tasks,
                training=True,
                num_views=2,
                batch_size=size,
                seed=FLAGS.seed,
            ),
            matrix[: len(matrix) // size * size].reshape(
                -1, size, len(model.tasks)
            ),
            strict=True,
        )
    )
    found = {}
    for step in train_to(model, map(int, FLAGS.at)):
        found[step] = qualities(model, probes)
        for target, by_task in found[step].items():
            values = ", ".join(f"{k} {v:.4f}" for k, v in by_task.items())
            print(f"step {step:5d}  {target:<26}{values}", flush=True)
    print(json.dumps(found))


def qualities(model, probes):
    """Mean error of each kind of target for each task's hidden labels."""
    sums = {}
    for batch, labelled in probes:
        with unchanged(model):
            found = errors(model, batch, labelled)
        for key, pair in found.items():
            sums.setdefault(key, []).append(pair)
    found = {}
    for (target, task), pairs in sums.items():
        error, count = np.sum(pairs, axis=0)
        found.setdefault(target, {})[task] = float(error / max(count, 1))
    return found


def errors(model, data, labelled):
    """Summed errors and patches by target and task, of a batch of all labels.

    `labelled` says which labels are shown, `(batch, tasks)`.
    """
    batch, outputs = look(model, data)
    restoration = model.regularization
    stacks = CoarseStacks.of(
        model.tasks,
        batch.targets,
        outputs.y_pred,
        batch.labelled,
        batch.geometry[:, 1],
        restoration.stride,
    )
    given = tf.split(labelled[:, None, None, :], len(model.tasks), axis=-1)
    shown = [a * b for a, b in zip(stacks.annotated, given, strict=True)]
    denoised = stacks.denoise(restoration.denoiser)
    (restored,) = stacks.restore(restoration.evidence, denoised, shown)
    predictions = [
        task.codec.encode_predictions(values)
        for task, values in zip(model.tasks, stacks.predictions, strict=True)
    ]
    targets = {
        "second view": predictions,
        "first view": split_by_task(model.tasks, stacks.first_view),
        "denoised": denoised,
        "restored from labels": restored,
    }
    found = {}
    for target, codes in targets.items():
        distances = stacks.distances(codes)
        for index, task in enumerate(model.tasks):
            hidden = stacks.annotated[index] - shown[index]
            found[target, task.name] = (
                float(tf.reduce_sum(hidden * distances[index])),
                float(tf.reduce_sum(hidden)),
            )
    return found


def define_flags():
    define_training_flags("500,1000,2000", "train[:700]")
    flags.DEFINE_string("val_split", "train[700:]", "Images to look at.")


if __name__ == "__main__":
    define_flags()
    app.run(main)
