"""SavedModels for TensorFlow Serving."""

import pathlib
from collections.abc import Mapping
from typing import Any

import keras
from absl import logging

from jtr_keras.export import warmup as warming
from jtr_keras.export.metadata import FILE, FOLDER, as_json, make_metadata
from jtr_keras.export.model_card import model_card
from jtr_keras.export.publishing import PathLike, publish_version
from jtr_keras.export.signatures import Signature, make_signatures
from jtr_keras.models.dense_predictor import DensePredictor
from jtr_keras.types import Config


def export_saved_model(
    predictor: DensePredictor,
    path: PathLike,
    image_size: tuple[int, int],
    training: Config | None = None,
    metrics: Mapping[str, float] | None = None,
    warmup: bool | None = None,
    verbose: bool = False,
) -> pathlib.Path:
    """Writes `NAME/VERSION`, all at once; never overwrites.

    Beside the graph the folder holds `assets.extra/metadata.json`, a model
    card, and requests for warming a server up.

    Args:
        predictor: The network.
        path: `NAME`, for the next free version, or `NAME/VERSION`.
        image_size: Height and width that encoded images are resized to.
        training: How the network was trained, for the metadata.
        metrics: What it reached, for the metadata.
        warmup: Whether to write warm-up requests, which needs the extra
            `serving`. None: if it is installed.
        verbose: Whether to print the signatures.

    Returns:
        The folder of the version.

    Raises:
        FileExistsError: If the version exists.
        ImportError: If `warmup` is true and the extra is not installed.

    Example:

    >>> predictor = jtr_keras.models.DensePredictor(
    ...     jtr_keras.models.UNet(widths=(4, 8)),
    ...     [jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)],
    ... )
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         path = jtr_keras.export.export_saved_model(
    ...             predictor, f"{folder}/depth", image_size=(96, 128)
    ...         )
    ...     print(path.name)
    2
    """
    path = pathlib.Path(path)
    name = path.parent.name if path.name.isdecimal() else path.name
    if warmup is None:
        warmup = warming.can_write_warmup()
        if not warmup:
            logging.info("No warm-up requests: pip install jtr_keras[serving].")
    signatures = make_signatures(predictor, image_size)

    def write(folder: pathlib.Path) -> None:
        interfaces = _write_graph(folder, signatures, verbose)
        extra = folder / FOLDER
        extra.mkdir()
        metadata = make_metadata(
            predictor, image_size, interfaces, training, metrics
        )
        text = as_json(metadata)
        (extra / FILE).write_text(text)
        (extra / "model_card.md").write_text(model_card(name, metadata))
        if warmup:
            warming.write_warmup(
                extra / warming.FILE, name, signatures, image_size
            )

    return publish_version(path, write)


def _write_graph(
    folder: pathlib.Path, signatures: Mapping[str, Signature], verbose: bool
) -> dict[str, Config]:
    """Writes the SavedModel; returns inputs and outputs of each signature."""
    # Not `track`: what the endpoints use is found anyway, and Keras would save
    # every weight a second time.
    archive = keras.export.ExportArchive()
    interfaces = {}
    for name, signature in signatures.items():
        function = archive.add_endpoint(
            name, signature.function, [signature.spec]
        )
        outputs = function.get_concrete_function().structured_outputs
        interfaces[name] = {
            "takes": signature.takes,
            "inputs": {signature.spec.name: _tensor(signature.spec)},
            "outputs": {key: _tensor(outputs[key]) for key in sorted(outputs)},
        }
    archive.write_out(str(folder), verbose=verbose)
    return interfaces


def _tensor(spec: Any) -> Config:
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
