"""Objects that are described by the arguments of their constructor."""

import inspect
from typing import Any

from jtr_keras.types import Config


class Configurable:
    """Keeps every argument of its constructor as an attribute of that name.

    A configuration for Keras and a readable print need no more than that.
    """

    def get_config(self) -> Config:
        # Here: this module is imported before Keras is.
        from keras.saving import serialize_keras_object as serialize

        return {
            name: serialize(value) if isinstance(value, Configurable) else value
            for name, value in self._arguments().items()
        }

    @classmethod
    def from_config(cls, config: Config) -> Any:
        from keras.saving import deserialize_keras_object as deserialize

        return cls(
            **{
                name: deserialize(value) if _is_object(value) else value
                for name, value in config.items()
            }
        )

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters
        given = [
            f"{name}={value!r}"
            for name, value in self._arguments().items()
            if not _same(value, parameters[name].default)
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def _arguments(self) -> Config:
        names = inspect.signature(type(self)).parameters
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise ValueError(
                f"`{type(self).__name__}` must keep its arguments as "
                f"attributes of the same names; there are none of {missing}."
            )
        return {name: getattr(self, name) for name in names}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
