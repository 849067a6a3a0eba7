"""Metrics as text."""

from collections.abc import Mapping


def print_metrics(metrics: Mapping[str, float]) -> None:
    """Prints a line a metric, in the order of their names."""
    width = max(len(name) for name in metrics)
    for name in sorted(metrics):
        print(f"{name:<{width}}  {float(metrics[name]):10.4f}")
