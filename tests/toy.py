"""Small models and random batches of the partial-label protocol."""

import keras
import numpy as np
import tensorflow as tf

import jtr_keras as jtr

SIZE = (16, 16)  # height, width


def make_tasks():
    return [
        jtr.tasks.SemanticSegmentation(num_classes=3),
        jtr.tasks.Depth(mean=2.0, stddev=1.0),
        jtr.tasks.SurfaceNormals(),
        jtr.tasks.DenseRegression("edges"),
    ]


def make_regularization(**options):
    sizes = {"widths": (4, 4), "num_convs": (1, 1)}
    return jtr.JointTaskRegularization(**(sizes | {"seed": 1} | options))


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


def make_batch(labelled=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1)), views=3):
    """Images, targets with some void pixels, and label weights.

    `labelled` has a row an image and a column a task. Where an image has no
    label, its target is the placeholder.
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
        void = task.placeholder(target.shape)
        target[:, :, 0] = void[:, :, 0]
        missing = labelled[:, column] == 0
        target[missing] = void[missing]
        weights[task.name] = labelled[:, column]
    images = rng.uniform(size=(*shape, 3)).astype("float32")
    return tf.nest.map_structure(tf.constant, (images, targets, weights))


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


def make_dataset(batch, repeats=1):
    """The batch, again and again, as a dataset of batches."""
    images, *_ = batch
    dataset = tf.data.Dataset.from_tensor_slices(batch).repeat(repeats)
    return dataset.batch(len(images), drop_remainder=True)
