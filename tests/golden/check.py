"""Compares one training step, or one loss, with the authors' code.

Usage: python tests/golden/check.py FILE.npz

FILE.npz has one of the forms described in ../shared/golden/README.md: a whole
step of JTR, which the library repeats in `semantics="reference"`, or the
cross-task loss of MTPSL; the keys tell which. It holds weights, inputs, noise,
and the losses, predictions and gradients that the authors' code computed in
float64. Exits with 1 where a loss is off by more than 1e-6, or predictions or
gradients (norm of the difference over the norm) by more than 1e-5.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

import keras
import numpy as np

from tests.golden import jtr_file, mtpsl_file

LOSS_TOLERANCE = 1e-6
NORM_TOLERANCE = 1e-5
LOSSES = (*jtr_file.LOSSES, *mtpsl_file.LOSSES)


def main(path):
    """Returns the relative error of each quantity."""
    file = dict(np.load(path))
    is_mtpsl = any(key.startswith("map/") for key in file)
    floatx = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        return mtpsl_file.step(file) if is_mtpsl else jtr_file.step(file)
    finally:
        keras.config.set_floatx(floatx)


def failures(errors):
    """Names of the quantities that are off by more than is allowed."""
    return [
        name
        for name, error in errors.items()
        if not error <= (LOSS_TOLERANCE if name in LOSSES else NORM_TOLERANCE)
    ]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    results = main(sys.argv[1])
    for quantity, value in results.items():
        print(f"{quantity:20s} {value:.1e}")
    wrong = failures(results)
    sys.exit(f"too far off: {', '.join(wrong)}" if wrong else 0)
