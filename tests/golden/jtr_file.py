"""One whole training step of JTR, as `nyuv2.npz` and `cityscapes.npz`."""

import numpy as np
import tensorflow as tf

import jtr_keras as jtr
from jtr_keras.regularization.joint_task.stacks import NUM_SAMPLES
from jtr_keras.training.batch import fold_views, unfold_views
from tests.golden import torch_weights
from tests.golden.comparing import flat, relative

TARGETS = {"segmentation": "seg", "depth": "depth", "normals": "normal"}
# The reference keeps the constants of its normal law in float32, and the
# reciprocal of the standard deviation too; exact ones would be off by 3e-8.
DEPTH_MEAN = float(np.float32(2.3618))
DEPTH_STDDEV = 1.0 / float(np.float32(1.0) / np.float32(1.5876))
LOSSES = ("supervised", "distance", "reconstruction", "total")


def step(file):
    """One forward and backward pass; relative errors by name."""
    model, parameters = build(file)
    names = [task.name for task in model.tasks]
    y_true = {name: targets(file, TARGETS[name]) for name in names}
    labelled = dict(zip(names, file["labelled"].astype(float).T, strict=True))
    noise = {names[0]: gumbel(file)}
    with tf.GradientTape() as tape:
        images = tf.constant(views(file, "image"))
        y_pred = unfold_views(model(fold_views(images), training=True), 3)
        losses = per_image(model, y_true, y_pred, labelled, noise)
        total = tf.reduce_mean(objective(model.regularization, losses))
    grads = tape.gradient(total, parameters)
    stack = np.concatenate([y_pred[name] for name in names], axis=-1)
    expected = dict(zip(LOSSES, file["losses"].T, strict=False))
    expected["total"] = file["total"]
    found = report(losses, model.regularization) | {"total": total}
    errors = {"predictions": relative(stack, views(file, "pred"))}
    errors |= {name: relative(found[name], expected[name]) for name in LOSSES}
    for group in ("model", "jtr"):
        keys = [key for key in grads if key.startswith(f"{group}/")]
        label = {"model": "model gradients", "jtr": "joint gradients"}[group]
        errors[label] = relative(
            flat(grads[key] for key in keys),
            flat(
                torch_weights.keras_layout(file[f"grad/{key}"]) for key in keys
            ),
        )
    return errors


def build(file):
    """The model with the file's weights, and its variables by torch name."""
    states = {
        group: {
            key.removeprefix(f"{group}/"): value
            for key, value in file.items()
            if key.startswith(f"{group}/")
        }
        for group in ("model", "jtr")
    }
    tasks = [
        jtr.tasks.SemanticSegmentation(
            len(states["model"]["pred_task1.1.bias"])
        ),
        jtr.tasks.Depth(mean=DEPTH_MEAN, stddev=DEPTH_STDDEV),
        jtr.tasks.SurfaceNormals(),
    ][: file["labelled"].shape[1]]
    widths, num_convs = torch_weights.sizes(states["model"])
    joint_widths, joint_convs = torch_weights.sizes(states["jtr"])
    backbone = jtr.models.SegNet(widths, num_convs)
    regularization = jtr.JointTaskRegularization(
        "reference", widths=joint_widths, num_convs=joint_convs
    )
    model = jtr.MultiTaskModel(
        backbone, tasks, regularization, head_filters=widths[0]
    )
    heads = {
        f"pred_task{index}": model.predictor.heads[task.name]
        for index, task in enumerate(tasks, start=1)
    }
    autoencoder = regularization.autoencoder
    parameters = {}
    for group, network, network_heads in (
        ("model", backbone, heads),
        ("jtr", autoencoder, {"pred_layer": autoencoder.head}),
    ):
        found = torch_weights.variables(network, network_heads, states[group])
        torch_weights.load(found, states[group])
        parameters |= {f"{group}/{k}": v.value for k, v in found.items()}
    return model, parameters


def per_image(model, y_true, y_pred, labelled, noise):
    """Every term of every image, before the weights."""
    supervised = sum(
        labelled[task.name]
        * task.loss(y_true[task.name][:, 0], y_pred[task.name][:, 0])
        for task in model.tasks
    )
    terms = model.regularization.per_image(y_true, y_pred, labelled, noise)
    return {"supervised": supervised} | terms


def objective(regularization, losses):
    """What is minimised, for each image."""
    weights = {"supervised": 1.0} | regularization.loss_weights
    return sum(weights[name] * loss for name, loss in losses.items())


def report(losses, regularization):
    """The file's three losses: its distance is the sum over both views."""
    weights = regularization.loss_weights
    factor = weights["joint_distance"] / weights["distance"]
    distance = losses["distance"] + factor * losses["joint_distance"]
    return losses | {"distance": distance}


def views(file, key):
    """`(n, 3, height, width, channels)` of the three views."""
    found = np.stack([file[f"view{i}/{key}"] for i in range(3)], axis=1)
    return np.moveaxis(found.astype(float), 2, -1)


def targets(file, key):
    """Targets of the three views, channels last."""
    if file[f"view0/{key}"].ndim == 4:
        return tf.constant(views(file, key))
    found = [file[f"view{i}/{key}"] for i in range(3)]
    return tf.constant(np.stack(found, axis=1)[..., None])


def gumbel(file):
    """The noise of each draw, `(n, draws, height, width, classes)`.

    The reference draws for Y of the first view only where segmentation has no
    label: two draws for an image with the label, five for one without.
    """
    draws = iter(sorted(key for key in file if key.startswith("gumbel/")))
    first = file["gumbel/000"][0]
    shape = (len(file["labelled"]), NUM_SAMPLES, *first.shape[1:], len(first))
    noise = np.zeros(shape)
    for image, labelled in enumerate(file["labelled"][:, 0]):
        for draw in (0, 4) if labelled else range(NUM_SAMPLES):
            noise[image, draw] = file[next(draws)][0].transpose(1, 2, 0)
    return tf.constant(noise)
