"""Reading published label splits without running what is in them."""

import importlib
import io
import pathlib
import pickle
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_NUMPY_PARTS = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "scalar")
}
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


def _rebuild_tensor(storage: Any, offset: int, size: Any, *_: Any) -> Any:
    """Stands for `torch._utils._rebuild_tensor_v2`, contiguous only."""
    return (*storage, offset, tuple(size))


class _SafeUnpickler(pickle.Unpickler):
    """Admits what published label files are made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) in _NUMPY_PARTS:
            return getattr(importlib.import_module(module), name)
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(
            f"it refers to {module}.{name}, which a label file needs not"
        )

    def persistent_load(self, pid: Any) -> Any:
        _, dtype, key, _, count, _ = pid
        return str(key), dtype, count


def read_torch(path: pathlib.Path) -> dict[str, Array]:
    """Tensors of a file written by `torch.save` before PyTorch 1.6.

    Args:
        path: The `.pth` file: a pickle of a dict of tensors.

    Returns:
        Dict of arrays.

    Raises:
        ValueError: If the file is anything else.
    """
    try:
        with path.open("rb") as file:
            for _ in range(3):  # Magic number, protocol, system.
                _SafeUnpickler(file).load()
            tensors = _SafeUnpickler(file).load()
            storages = _read_storages(file, tensors)
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is not a legacy torch file of tensors: {error}."
        ) from error
    return {name: _tensor(value, storages) for name, value in tensors.items()}


def _read_storages(file: BinaryIO, tensors: Any) -> dict[str, Array]:
    dtypes = {key: dtype for key, dtype, *_ in tensors.values()}
    storages = {}
    for key in _SafeUnpickler(file).load():
        count = int(np.frombuffer(file.read(8), "<i8")[0])
        dtype = np.dtype(dtypes[str(key)])
        data = file.read(count * dtype.itemsize)
        storages[str(key)] = np.frombuffer(data, dtype, count)
    return storages


def _tensor(value: Any, storages: dict[str, Array]) -> Array:
    key, _, _, offset, size = value
    count = int(np.prod(size))
    return storages[key][offset : offset + count].reshape(size)


def read_numpy(path: pathlib.Path) -> Any:
    """An array, or the dict in a pickled one, of a `.npy` file.

    Args:
        path: The file.

    Returns:
        A float array, or a dict of task name to image names.

    Raises:
        ValueError: If a pickled object holds anything but plain data.
    """
    try:
        return np.load(path, allow_pickle=False)
    except ValueError:
        pass
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            array = _SafeUnpickler(io.BytesIO(file.read())).load()
        return np.asarray(array, object).item()
    except (pickle.UnpicklingError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is not a label file: {error}.") from error
