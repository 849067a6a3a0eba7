"""Balancings called with lists, in the order of the tasks."""

import keras
import numpy as np

from tests import toy


def bound(balancing, num_tasks=3):
    """The balancing, told of the first toy tasks."""
    balancing.bind(toy.make_tasks()[:num_tasks])
    return balancing


def weigh(balancing, losses, label_rates):
    """The weights of one step, as an array, and the further term."""
    names = balancing.task_names
    weights, penalty = balancing(
        dict(zip(names, np.float32(losses), strict=True)),
        dict(zip(names, np.float32(label_rates), strict=True)),
    )
    return np.array([weights[name] for name in names]), float(penalty)


def saved_and_loaded(balancing, copy, folder):
    """`copy`, with what a file keeps of `balancing`."""
    holders = []
    for layer in (balancing, copy):
        holder = keras.Model()
        holder.balancing = layer
        holder.built = True
        holders.append(holder)
    path = f"{folder}/balancing.weights.h5"
    holders[0].save_weights(path)
    holders[1].load_weights(path)
    return copy
