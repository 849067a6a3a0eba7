"""The errors again, in NumPy, and random data for them."""

import numpy as np


def numpy_error(name, y_true, y_pred):
    """A second implementation, on `(pixels, channels)`."""
    if name == "angle":
        lengths = np.linalg.norm(y_true, axis=-1) * np.linalg.norm(
            y_pred, axis=-1
        )
        cosine = np.sum(y_true * y_pred, axis=-1) / lengths
        return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    y_true, y_pred = y_true[:, 0], y_pred[:, 0]
    return {
        "absolute": np.abs(y_true - y_pred),
        "relative": np.abs(y_true - y_pred) / y_true,
        "log": np.abs(np.log(y_true) - np.log(y_pred)),
        "ratio": np.maximum(y_true / y_pred, y_pred / y_true),
    }[name]


def batches(vectors):
    """Three batches of targets, predictions and masks of unequal weight."""
    rng = np.random.default_rng(1)
    for kept in (0.9, 0.5, 0.1):
        shape = (2, 30, 40, 3 if vectors else 1)
        if vectors:
            y_true = rng.normal(size=shape)
            y_pred = y_true + 0.5 * rng.normal(size=shape)
        else:
            y_true = rng.uniform(0.5, 9.0, shape)
            y_pred = y_true * rng.uniform(0.4, 2.0, shape)
        mask = rng.uniform(size=shape[:3]) < kept
        y_true[~mask] = np.nan
        yield (
            y_true.astype("float32"),
            y_pred.astype("float32"),
            mask.astype("float32"),
        )
