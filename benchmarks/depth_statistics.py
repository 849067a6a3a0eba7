"""Prints mean and standard deviation of the annotated depths of Rooms."""

import jtr_keras as jtr


def main():
    source = jtr.data.RoomsSource("train")
    mean, stddev = jtr.data.depth_statistics(source)
    print(f"mean {mean:.3f} m, stddev {stddev:.3f} m")


if __name__ == "__main__":
    main()
