"""How far a result is from what was expected."""

import numpy as np


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def relative(found, expected):
    """Norm of the difference over the norm of what was expected."""
    difference = np.linalg.norm(np.asarray(found) - np.asarray(expected))
    return float(difference / np.linalg.norm(np.asarray(expected)))
