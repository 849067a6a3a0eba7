"""The model card, made from the metadata."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from jtr_keras.types import Config

_UNKNOWN = "Not recorded."


def model_card(name: str, metadata: Config) -> str:
    """A page of Markdown for people who get the exported folder.

    Args:
        name: Name of the model.
        metadata: What `make_metadata` made.
    """
    images = metadata["images"]
    network = metadata["network"]
    height, width = images["image_size"]
    sections = {
        f"# {name}": (
            "A network that predicts several dense maps from one image, "
            f"exported by jtr_keras on {metadata['exported']}. It has "
            f"{network['parameters']:,} parameters, its backbone is "
            f"`{network['backbone']['class_name']}`, its precision "
            f"`{network['dtype_policy']}`."
        ),
        "## What it predicts": _table(
            ("output", "channels", "value", "unit", "range", "classes"),
            map(_task, metadata["tasks"]),
        ),
        "## What it expects": (
            f"Images with channels {images['channels']}; "
            f"{images['preprocessing']}. Sides from "
            f"{images['smallest_side']} to {images['largest_side']} pixels; it "
            f"is at its best near {height}x{width} (height x width)."
        ),
        "## Signatures": _table(
            ("name", "input", "takes"),
            (
                (f"`{key}`", f"`{next(iter(value['inputs']))}`", value["takes"])
                for key, value in metadata["signatures"].items()
            ),
        ),
        "## Small answers": _table(
            ("output", "dtype", "value", "unit"),
            map(_quantization, metadata["tasks"]),
        ),
        "## Metrics": _metrics(metadata),
        "## Training": _training(metadata["training"]),
        "## Versions": _table(
            ("package", "version"), metadata["versions"].items()
        ),
    }
    return "\n".join(f"{k}\n\n{v.strip()}\n" for k, v in sections.items())


def _task(task: Config) -> tuple[Any, ...]:
    limits = task["range"] or ("", "")
    return (
        f"`{task['name']}`",
        task["channels"],
        task["prediction"],
        task["unit"] or "",
        "{} to {}".format(*limits) if task["range"] else "unbounded",
        ", ".join(task.get("classes", ())),
    )


def _quantization(task: Config) -> tuple[Any, ...]:
    found = task["quantization"]
    value = f"{found['offset']:g} + {found['scale']:g} * integer"
    if "classes" in task:
        value = "number of the most likely class, from 0"
    return f"`{task['name']}`", found["dtype"], value, task["unit"] or ""


def _metrics(metadata: Config) -> str:
    metrics = metadata["metrics"]
    if not metrics:
        return _UNKNOWN
    on = (metadata["training"] or {}).get("metrics_of", "data not recorded")
    rows = ((f"`{key}`", f"{metrics[key]:.4f}") for key in sorted(metrics))
    return f"Of {on}.\n\n" + _table(("metric", "value"), rows)


def _training(values: Config | None) -> str:
    if not values:
        return _UNKNOWN
    rows = ((f"`{key}`", f"`{_short(v)}`") for key, v in _flat(values))
    return _table(("setting", "value"), rows)


def _flat(values: Config, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings with those of groups behind dots, as `flags.epochs`."""
    for key, value in values.items():
        if isinstance(value, dict) and "class_name" not in value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _short(value: Any) -> str:
    """A value in a line; of a Keras object, its class (see the JSON)."""
    if isinstance(value, dict):
        return str(value["class_name"])
    return json.dumps(value)


def _table(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    header = list(header)
    lines = [header, ["---"] * len(header), *map(list, rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
