"""Colours for pictures; NumPy, since pictures are made outside of graphs."""

import colorsys

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.uint8]

_ANCHORS = np.array(  # Dark blue, teal, green, yellow, white-hot: far to near.
    [
        [36, 12, 78],
        [42, 88, 142],
        [32, 146, 140],
        [122, 208, 82],
        [253, 231, 37],
    ]
)


def palette(num_colours: int) -> Colours:
    """Distinct colours, `(num_colours, 3)`, the same ones every time.

    Hues advance by the golden ratio, so that neighbours differ strongly.

    Example:

    >>> jtr_keras.ops.palette(2).tolist()
    [[217, 65, 65], [133, 168, 255]]
    """
    colours = [
        colorsys.hsv_to_rgb(
            (index * 0.618034) % 1.0,
            (0.7, 0.48)[index % 2],
            (0.85, 1.0)[index % 2],
        )
        for index in range(num_colours)
    ]
    return np.asarray(np.round(np.multiply(colours, 255)), np.uint8)


def colour_map(values: npt.NDArray[np.floating]) -> Colours:
    """Colours `(height, width, 3)` of `(height, width)` values in `[0, 1]`."""
    positions = np.linspace(0.0, 1.0, len(_ANCHORS))
    channels = [np.interp(values, positions, anchor) for anchor in _ANCHORS.T]
    return np.asarray(np.stack(channels, axis=-1), np.uint8)
