"""A network in float32, whatever precision it was trained in."""

from typing import Any

from jtr_keras.models.dense_predictor import DensePredictor


def in_full_precision(predictor: DensePredictor) -> DensePredictor:
    """The network itself, or a copy that computes in float32.

    Other runtimes know half precision only in part, and Keras's exporters
    want none. Weights are float32 in any case.

    Args:
        predictor: The network.

    Example:

    >>> predictor = jtr_keras.models.DensePredictor(
    ...     jtr_keras.models.UNet(widths=(4, 8), dtype="mixed_float16"),
    ...     [jtr_keras.tasks.Depth(mean=2.0, stddev=1.0)],
    ...     dtype="mixed_float16",
    ... )
    >>> from jtr_keras.export.full_precision import in_full_precision
    >>> in_full_precision(predictor).compute_dtype
    'float32'
    """
    if all(layer.compute_dtype == "float32" for layer in _layers(predictor)):
        return predictor
    copy = DensePredictor.from_config(_replace(predictor.get_config()))
    copy.set_weights(predictor.get_weights())
    return copy


def _layers(predictor: DensePredictor) -> list[Any]:
    return list(predictor._flatten_layers())


def _replace(config: Any) -> Any:
    """A config with every policy of Keras replaced by `float32`."""
    if isinstance(config, list | tuple):
        return [_replace(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return config | {"config": {"name": "float32"}}
    return {key: _replace(value) for key, value in config.items()}
