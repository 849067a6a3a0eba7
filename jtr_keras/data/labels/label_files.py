"""Reading published label splits without running what is in them."""

import io
import pathlib
import pickle
from collections import OrderedDict
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MAGIC = 0x1950A86A20F9469CFC6C
"""First number of every file of `torch.save` before PyTorch 1.6."""
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _Tensor(NamedTuple):
    key: str
    dtype: str
    offset: int
    size: tuple[int, ...]


def _rebuild_tensor(
    storage: Any, offset: int, size: Any, strides: Any, *_: Any
) -> _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`."""
    contiguous = [int(np.prod(size[i + 1 :])) for i in range(len(size))]
    if list(strides) != contiguous:
        raise pickle.UnpicklingError("a tensor in it is not contiguous")
    key, dtype = storage
    return _Tensor(key, dtype, offset, tuple(size))


_ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
_ADMITTED |= {("torch", name): dtype for name, dtype in _STORAGES.items()}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    # Both are private: NumPy itself says how it is pickled.
    _ADMITTED[_module, "_reconstruct"] = np.zeros(0).__reduce__()[0]
    _ADMITTED[_module, "scalar"] = np.int64(0).__reduce__()[0]


class _SafeUnpickler(pickle.Unpickler):
    """Admits what published label files are made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f"it refers to {module}.{name}, which no label file needs"
            )
        return _ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        _, dtype, key, *_ = pid
        return str(key), dtype


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
            magic, _, _, tensors, keys = _read_pickles(file)
            if magic != _MAGIC or not isinstance(tensors, dict):
                raise ValueError("it does not begin as one")
            dtypes = {t.key: t.dtype for t in tensors.values()}
            storages = {str(k): _storage(file, dtypes[str(k)]) for k in keys}
        return {name: _array(t, storages) for name, t in tensors.items()}
    except Exception as error:  # A broken pickle raises errors of any kind.
        raise ValueError(
            f"{path} is not a legacy torch file of tensors: {error}."
        ) from error


def _read_pickles(file: BinaryIO) -> list[Any]:
    """Magic number, protocol, system, tensors, keys of the storages."""
    found = [_SafeUnpickler(file).load()]
    while found[0] == _MAGIC and len(found) < 5:
        found.append(_SafeUnpickler(file).load())
    return found + [None] * (5 - len(found))


def _storage(file: BinaryIO, dtype: str) -> Array:
    count = int(np.frombuffer(file.read(8), "<i8")[0])
    data = file.read(count * np.dtype(dtype).itemsize)
    return np.frombuffer(data, dtype, count)


def _array(tensor: _Tensor, storages: dict[str, Array]) -> Array:
    count = int(np.prod(tensor.size))
    values = storages[tensor.key][tensor.offset : tensor.offset + count]
    return values.reshape(tensor.size)


def read_numpy(path: pathlib.Path) -> Any:
    """An array, or the dict in a pickled one, of a `.npy` file.

    Args:
        path: The file.

    Returns:
        A float array, or a dict of task name to image names.

    Raises:
        ValueError: If the file is anything else.
    """
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            _, _, dtype = np.lib.format.read_array_header_1_0(file)
            if not dtype.hasobject:
                return np.load(path, allow_pickle=False)
            array = _SafeUnpickler(io.BytesIO(file.read())).load()
        found = np.asarray(array, object).item()
        if not isinstance(found, dict):
            raise ValueError(f"it holds a {type(found).__name__}, not a dict")
        return found
    except Exception as error:  # A broken pickle raises errors of any kind.
        raise ValueError(f"{path} is not a label file: {error}.") from error
