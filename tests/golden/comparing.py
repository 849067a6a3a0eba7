"""How far a result is from what was expected."""

import numpy as np


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def relative(found, expected):
    """Norm of the difference over the norm of what was expected.

    Where nothing was expected, as of the supervised loss of images without
    any label, the norm itself.
    """
    difference = np.linalg.norm(np.asarray(found) - np.asarray(expected))
    return float(difference / (np.linalg.norm(np.asarray(expected)) or 1.0))
