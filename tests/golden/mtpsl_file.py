"""The cross-task loss of MTPSL, as `mtpsl.npz`."""

import numpy as np
import tensorflow as tf

import jtr_keras as jtr
from tests.golden import torch_weights
from tests.golden.comparing import flat, relative

LOSSES = ("cross_task", "total")
EMBEDDING = "pred_encoder_source"
# Statistics of depth have no part in this loss.
TASKS = {
    "seg": lambda channels: jtr.tasks.SemanticSegmentation(channels),
    "depth": lambda channels: jtr.tasks.Depth(mean=0.0, stddev=1.0),
    "normal": lambda channels: jtr.tasks.SurfaceNormals(),
}


def step(file):
    """One forward and backward pass; relative errors by name."""
    keys = [key for key in TASKS if f"pred/{key}" in file]
    layer, variables = build(file, keys)
    names = [task.name for task in layer.tasks]
    y_true = {
        name: tf.constant(two_views(targets(file[f"target/{key}"])))
        for name, key in zip(names, keys, strict=True)
    }
    y_pred = {
        name: tf.constant(two_views(channels_last(file[f"pred/{key}"])))
        for name, key in zip(names, keys, strict=True)
    }
    labelled = dict(zip(names, file["labelled"].astype(float).T, strict=True))
    features = tf.constant(two_views(channels_last(file["feature"])))
    noise = {names[0]: gumbel(file)} if keys[0] == "seg" else {}
    weights = {name: variable.value for name, variable in variables.items()}
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        losses = layer.per_image(y_true, y_pred, labelled, features, noise)
        total = tf.reduce_mean(losses["cross_task"])
    grads, weight_grads = tape.gradient(total, (y_pred, weights))
    return {
        "cross_task": relative(losses["cross_task"], file["losses"]),
        "total": relative(total, file["total"]),
        "prediction gradients": relative(
            flat(grads[name][:, 1] for name in names),
            flat(channels_last(file[f"grad/pred/{key}"]) for key in keys),
        ),
        "mapping gradients": relative(
            flat(weight_grads.values()),
            flat(keras_layout(file[f"grad/{key}"]) for key in weight_grads),
        ),
    }


def build(file, keys):
    """The regularization with the file's weights; its variables by key."""
    prefix = next(k for k in file if f".{EMBEDDING}." in k and "map/" in k)
    prefix = prefix[prefix.index("map/") :].split(EMBEDDING)[0]
    # The units in the words of the JTR networks.
    state = {
        key.removeprefix(prefix).replace(".conv.", ".0."): value
        for key, value in file.items()
        if key.startswith(prefix) and ".conv." in key
    }
    widths, num_convs = torch_weights.sizes(state)
    layer = jtr.regularization.CrossTaskConsistency(
        widths=widths, num_convs=num_convs
    )
    layer.bind(
        [TASKS[key](file[f"pred/{key}"].shape[1]) for key in keys],
        feature_channels=file["feature"].shape[1],
    )
    variables = {}
    for index, block in enumerate(layer.embeddings):
        variables |= unit(f"{prefix}{EMBEDDING}.{index}", ("0", "1"), block)
    units = iter(zip(layer.mapping.blocks, layer.mapping.films, strict=True))
    for level, count in enumerate(num_convs):
        for name in torch_weights.unit_names("enc", level, count):
            block, film = next(units)
            variables |= unit(prefix + name, ("conv", "bn"), block)
            variables[f"{prefix}{name}.gamma"] = film.gamma
            variables[f"{prefix}{name}.beta"] = film.beta
    for name, variable in variables.items():
        variable.assign(keras_layout(file[name]))
    return layer, variables


def unit(name, parts, block):
    """Variables of a convolution and its normalisation by torch name."""
    conv, norm = parts
    return {
        f"{name}.{conv}.weight": block.conv.kernel,
        f"{name}.{conv}.bias": block.conv.bias,
        f"{name}.{norm}.weight": block.norm.gamma,
        f"{name}.{norm}.bias": block.norm.beta,
    }


def keras_layout(array):
    """Kernels as Keras has them; FiLM's `(channels, pairs)` turned."""
    return array.T if array.ndim == 2 else torch_weights.keras_layout(array)


def two_views(array):
    """The second of two views is what the loss compares."""
    return np.stack([np.zeros_like(array), array], axis=1)


def targets(array):
    return array[..., None] if array.ndim == 3 else channels_last(array)


def channels_last(array):
    return np.moveaxis(array.astype(float), 1, -1)


def gumbel(file):
    """The noise of each pair, `(n, tasks - 1, height, width, classes)`.

    The reference draws for the labelled targets of an image without a label
    of segmentation, its first task, in their order.
    """
    draws = iter(sorted(key for key in file if key.startswith("gumbel/")))
    others = file["labelled"][:, 1:]
    noise = np.zeros((*others.shape, *file["pred/seg"].shape[1:]))
    for image, labelled in enumerate(file["labelled"]):
        for other in np.flatnonzero(labelled[1:] * (1 - labelled[0])):
            noise[image, other] = file[next(draws)][0]
    return tf.constant(np.moveaxis(noise, 2, -1))
