"""A network in training on Rooms, to be looked at between its steps."""

import contextlib
import json

import keras
from absl import flags

import jtr_keras as jtr
from benchmarks.methods import BACKBONE_OPTIONS, HEAD_FILTERS, VIEWS
from jtr_keras.data import DATASETS
from jtr_keras.regularization import REGULARIZATIONS
from jtr_keras.training.batch import unpack
from jtr_keras.training.forward import forward

FLAGS = flags.FLAGS


def make_network(tasks, regularization, views=VIEWS):
    """The network of the comparison for these tasks of Rooms."""
    return jtr.MultiTaskModel(
        jtr.models.UNet(**BACKBONE_OPTIONS),
        DATASETS["rooms"].make_tasks(tasks),
        regularization,
        head_filters=HEAD_FILTERS,
        supervised_views=views,
    )


def make_model(regularization, options):
    """That of the usual tasks with a regularization, compiled."""
    model = make_network(
        None, REGULARIZATIONS.make(regularization, json.loads(options))
    )
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    return model


def make_data(model):
    """Training data of the label setting and split of the flags."""
    return jtr.data.rooms(
        FLAGS.train_split,
        model.tasks,
        labels=FLAGS.labels,
        num_views=model.num_views,
        batch_size=FLAGS.batch_size,
        seed=FLAGS.seed,
    )


def train_to(model, steps):
    """Yields each of the numbers of steps once the model has made them."""
    batches = iter(make_data(model).repeat())
    done = 0
    for step in sorted(steps):
        for _ in range(step - done):
            model.train_on_batch(*next(batches))
        done = step
        yield step


def look(model, data):
    """A batch, and what the network says of it in training, as in a step."""
    batch = unpack(data, model.tasks)
    return batch, forward(model.predictor, batch.images)


@contextlib.contextmanager
def unchanged(model):
    """What is counted and averaged within is forgotten afterwards."""
    variables = model.non_trainable_variables
    before = [variable.numpy() for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def define_training_flags(at, train_split):
    flags.DEFINE_list("at", at.split(","), "Steps to look at.")
    flags.DEFINE_string("labels", "onelabel", "Label setting.")
    flags.DEFINE_string("train_split", train_split, "Images to train on.")
    flags.DEFINE_integer("batch_size", 4, "Images of a batch.", 1)
    flags.DEFINE_integer("seed", 0, "Seed.")
