"""How strongly each term of the objective pulls at each task's predictions.

    python -m benchmarks.gradient_norms --regularization=label_restoration

Trains on Rooms, stops after some numbers of steps, and compares the norm of
each term's gradient at the predictions with the supervised one's, on the same
batches. Prints a table and, as its last line, a JSON object.
"""

import json

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.probing import (
    define_training_flags,
    look,
    make_data,
    make_model,
    train_to,
    unchanged,
)
from jtr_keras.training.forward import regularization_terms
from jtr_keras.training.losses import supervised_losses

FLAGS = flags.FLAGS


def main(_):
    keras.utils.set_random_seed(FLAGS.seed)
    model = make_model(FLAGS.regularization, FLAGS.regularization_options)
    probes = list(make_data(model).take(FLAGS.batches))
    found = {}
    for step in train_to(model, map(int, FLAGS.at)):
        found[step] = ratios(model, probes)
        for term, by_task in found[step].items():
            shares = ", ".join(f"{k} {v:.3f}" for k, v in by_task.items())
            print(f"step {step:5d}  {term:<24}{shares}", flush=True)
    print(json.dumps(found))


def ratios(model, batches):
    """For each term and task, its gradient's norm over the supervised one's."""
    gradients = []
    for batch in batches:
        with unchanged(model):
            gradients.append(probe(model, batch))
    mean = {
        key: float(np.mean([g[key] for g in gradients])) for key in gradients[0]
    }
    shares = {}
    for term in model.regularization.loss_weights:
        shares[term] = {
            task.name: mean[term, task.name]
            / max(mean[f"{task.name}_loss", task.name], 1e-12)
            for task in model.tasks
        }
    return shares


def probe(model, data):
    """Norm of every term's gradient at every task's predictions."""
    batch, outputs = look(model, data)
    weights = model.regularization.loss_weights
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(outputs.y_pred)
        losses = supervised_losses(
            model.tasks,
            batch.targets,
            outputs.y_pred,
            batch.labelled,
            model.supervised_views,
        )
        terms = regularization_terms(
            model.regularization,
            batch,
            outputs,
            model.predictor,
            model.teacher,
        )
        terms = {name: weights[name] * value for name, value in terms.items()}
        terms |= {f"{name}_loss": loss for name, loss in losses.items()}
    norms = {}
    for term, value in terms.items():
        gradients = tape.gradient(
            value, outputs.y_pred, unconnected_gradients="zero"
        )
        for task, gradient in gradients.items():
            norms[term, task] = float(tf.norm(gradient))
    return norms


def define_flags():
    define_training_flags("20,100,400,800", "train")
    flags.DEFINE_string(
        "regularization", "label_restoration", "As in `jtr train`."
    )
    flags.DEFINE_string("regularization_options", "{}", "Its arguments, JSON.")
    flags.DEFINE_integer("batches", 8, "Batches that are averaged.", 1)


if __name__ == "__main__":
    define_flags()
    app.run(main)
