"""Small models and random batches of the partial-label protocol."""

import keras
import numpy as np
import tensorflow as tf

import jtr_keras as jtr
from jtr_keras.ops import UNMOVED
from jtr_keras.types import GEOMETRY, IMAGES

SIZE = (16, 16)  # height, width
FEATURES = 4  # Channels of the backbone's features.
FIRST_ROW = np.arange(SIZE[0])[:, None] == np.zeros(SIZE)


def make_tasks():
    return [
        jtr.tasks.SemanticSegmentation(num_classes=3),
        jtr.tasks.Depth(mean=2.0, stddev=1.0),
        jtr.tasks.SurfaceNormals(),
        jtr.tasks.DenseRegression("edges"),
    ]


def make_regularization(**options):
    """The paper's method, with a small autoencoder."""
    usual = {"widths": (4, 4), "num_convs": (1, 1), "seed": 1}
    return jtr.JointTaskRegularization(**(usual | options))


def make_restoration(**options):
    """Our method, with small networks."""
    usual = {"widths": (4, 4), "stride": 2, "seed": 1}
    return jtr.LabelRestoration(**(usual | options))


def make_model(regularization=None, **options):
    """A built model; the same weights at every call."""
    keras.utils.set_random_seed(0)
    return jtr.MultiTaskModel(
        jtr.models.UNet(widths=(4, 8)),
        make_tasks(),
        regularization,
        head_filters=4,
        **options,
    )


def make_batch(
    labelled=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1)),
    views=3,
    void=FIRST_ROW,
    geometry=True,
):
    """Inputs, targets with some void pixels, and label weights.

    `labelled` has a row an image and a column a task. Where an image has no
    label, its target is void, as it is in pixels of `void`. Inputs are a dict
    of images and geometry, or images alone without `geometry`.
    """
    rng = np.random.default_rng(0)
    labelled = np.asarray(labelled, "float32")
    shape = (len(labelled), views, *SIZE)
    normals = rng.normal(size=(*shape, 3))
    targets = {
        "segmentation": rng.integers(0, 3, (*shape, 1)).astype("int32"),
        "depth": rng.uniform(0.5, 4.0, (*shape, 1)).astype("float32"),
        "normals": (
            normals / np.linalg.norm(normals, axis=-1, keepdims=True)
        ).astype("float32"),
        "edges": rng.uniform(0.0, 1.0, (*shape, 1)).astype("float32"),
    }
    weights = {}
    for column, task in enumerate(make_tasks()):
        target = targets[task.name]
        target[:, :, void] = task.void
        target[labelled[:, column] == 0] = task.void
        weights[task.name] = labelled[:, column]
    inputs = rng.uniform(size=(*shape, 3)).astype("float32")
    if geometry:
        inputs = {IMAGES: inputs, GEOMETRY: make_geometry(*shape[:2])}
    return tf.nest.map_structure(tf.constant, (inputs, targets, weights))


def make_geometry(batch=3, views=3):
    """Every view but the first mirrored, and a window of it enlarged."""
    geometry = np.tile(np.float32([1.0, 1.5, 2.0, 3.0]), (batch, views, 1))
    geometry[:, 0] = UNMOVED
    return geometry


def make_inputs(regularization, batch=3, views=3):
    """What a regularization requires beside predictions and targets."""
    rng = np.random.default_rng(2)
    features = rng.normal(size=(batch, views, *SIZE, FEATURES))
    inputs = {
        "features": tf.constant(features, "float32"),
        GEOMETRY: tf.constant(make_geometry(batch, views)),
        "teacher": make_predictions(
            batch, regularization.teacher_views, seed=3
        ),
    }
    return {name: inputs[name] for name in regularization.required_inputs}


def make_predictions(batch=3, views=3, seed=1):
    """Random predictions in the range of each task."""
    rng = np.random.default_rng(seed)
    return {
        task.name: task.activate(
            tf.constant(
                rng.normal(size=(batch, views, *SIZE, task.channels)),
                "float32",
            )
        )
        for task in make_tasks()
    }


def make_dataset(batch, repeats=1, size=None):
    """The batch, again and again, as a dataset of batches of that size."""
    size = size or len(tf.nest.flatten(batch)[0])
    dataset = tf.data.Dataset.from_tensor_slices(batch).repeat(repeats)
    return dataset.batch(size, drop_remainder=True)
