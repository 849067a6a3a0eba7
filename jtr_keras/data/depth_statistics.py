"""What `Depth` needs to know of a training set."""

import numpy as np

from jtr_keras.data.sources.source import Source


def depth_statistics(
    source: Source, name: str = "depth"
) -> tuple[float, float]:
    """Mean and standard deviation of all annotated depths.

    Args:
        source: Whose annotations are read, as far as there are any.
        name: Their name.

    Returns:
        Both, in the annotations' unit.

    Raises:
        ValueError: If no pixel is annotated, or a file cannot be read.
    """
    count, total, squares = 0, 0.0, 0.0
    for index in np.flatnonzero(source.annotated(name)):
        depths = source.read_array(int(index), name).astype(float)
        depths = depths[np.isfinite(depths) & (depths > 0)]
        count += depths.size
        total += depths.sum()
        squares += np.square(depths).sum()
    if not count:
        raise ValueError(
            f"No pixel of {source.num_images} images has an annotation "
            f"{name!r}; the first file would be {source.file(0, name)}."
        )
    mean = total / count
    return float(mean), float(np.sqrt(max(squares / count - mean**2, 0.0)))
