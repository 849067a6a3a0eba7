"""Prints mean and standard deviation of the annotated depths of Rooms."""

import numpy as np

import jtr_keras as jtr


def main():
    source = jtr.data.RoomsSource("train")
    depths = [source.read(i, "depth") for i in range(source.num_images)]
    depths = np.concatenate([d[d > 0] for d in map(np.asarray, depths)])
    mean, stddev = depths.mean(dtype=float), depths.std(dtype=float)
    print(f"mean {mean:.3f} m, stddev {stddev:.3f} m")


if __name__ == "__main__":
    main()
