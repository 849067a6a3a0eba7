"""`jtr export`."""

from collections.abc import Sequence
from typing import Any

from absl import flags

from jtr_keras.cli.commands import SAVED_MODEL
from jtr_keras.cli.workdir import load_model, model_file, run_record
from jtr_keras.export.formats import export_file
from jtr_keras.export.metadata import read_metadata
from jtr_keras.export.signatures import DEFAULT_SIZE


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Writes `OUTPUT/VERSION`, or a file of another format."""
    if arguments:
        raise ValueError(f"Unexpected arguments: {list(arguments)}.")
    size = _size(values.image_size)
    model = load_model(values.model)
    output = values.output or "savedmodels/model"
    if values.format == SAVED_MODEL:
        _export_saved_model(model, output, size, values)
        return
    size = size or model.image_size or DEFAULT_SIZE
    path, differences = export_file(
        model.predictor, output, values.format, size
    )
    print(f"{path}: largest difference from the network, for a random image")
    for name, difference in differences.items():
        print(f"  {name:<16}{difference:.1e}")


def _export_saved_model(
    model: Any, output: str, size: Any, values: flags.FlagValues
) -> None:
    training, metrics = run_record(model_file(values.model))
    path = model.export(
        output,
        image_size=size,
        training=training,
        metrics=metrics,
        warmup=values.warmup,
    )
    print(f"{path}:")
    for name, signature in read_metadata(path)["signatures"].items():
        print(f"  {name:<16}{signature['takes']}")


def _size(texts: Sequence[str] | None) -> Any:
    if texts is None:
        return None
    if len(texts) != 2 or not all(t.isdecimal() and int(t) for t in texts):
        raise ValueError(
            "--image_size must be HEIGHT,WIDTH, such as 96,128; "
            f"got {','.join(texts)}."
        )
    return tuple(map(int, texts))
