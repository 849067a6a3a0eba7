import collections
import dataclasses
import os
import pathlib
import pickle
import struct
import sys
import types
import zipfile
from unittest import mock

import numpy as np
from absl.testing import parameterized

from jtr_keras.data.labels.label_files import read_numpy, read_torch
from tests.testing import TestCase

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}


class TorchTest(TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.get_temp_dir()) / "labels.pth"

    @parameterized.parameters(
        ("FloatStorage", "<f4"),
        ("DoubleStorage", "<f8"),
        ("LongStorage", "<i8"),
        ("IntStorage", "<i4"),
        ("ByteStorage", "u1"),
        ("BoolStorage", "?"),
    )
    def test_values_of_every_type(self, storage, dtype):
        array = np.array([[1, 0, 1], [0, 0, 1]], dtype)
        tensor = Tensor(storage, "7", (2, 3), (3, 1))
        write_torch(self.path, {"labels_weights": tensor}, {"7": array})
        read = read_torch(self.path)
        self.assertEqual(list(read), ["labels_weights"])
        self.assertAllEqual(read["labels_weights"], array)
        self.assertEqual(read["labels_weights"].dtype, np.dtype(dtype))

    def test_several_tensors_of_two_storages(self):
        tensors = collections.OrderedDict(
            first=Tensor("LongStorage", "0", (2,), (1,), offset=1),
            second=Tensor("FloatStorage", "1", (1, 2), (2, 1)),
            third=Tensor("LongStorage", "0", (3,), (1,)),
        )
        storages = {
            "0": np.array([4, 5, 6], "<i8"),
            "1": np.array([0.5, 2.0], "<f4"),
        }
        write_torch(self.path, tensors, storages)
        read = read_torch(self.path)
        self.assertAllEqual(read["first"], [5, 6])
        self.assertAllEqual(read["second"], [[0.5, 2.0]])
        self.assertAllEqual(read["third"], [4, 5, 6])

    def test_transposed_tensor_is_not_misread(self):
        storage = np.arange(6, dtype="<f4")
        tensor = Tensor("FloatStorage", "0", (2, 3), (1, 2))
        write_torch(self.path, {"labels_weights": tensor}, {"0": storage})
        with self.assertRaisesRegex(ValueError, r"labels.pth.*contiguous"):
            read_torch(self.path)

    def test_code_is_refused_and_not_run(self):
        proof = self.path.with_name("proof")
        payload = {"labels_weights": Malicious(f"touch {proof}")}
        for number, part in enumerate(("system", "tensors", "keys")):
            with self.subTest(part):
                parts = [MAGIC, PROTOCOL, SYSTEM, {}, []]
                parts[number + 2] = payload
                self.path.write_bytes(b"".join(map(pickle.dumps, parts)))
                with self.assertRaisesRegex(ValueError, r"posix\.system"):
                    read_torch(self.path)
                self.assertFalse(proof.exists())
        # The payload is a real one.
        pickle.loads(pickle.dumps(payload))
        self.assertTrue(proof.exists())

    @parameterized.named_parameters(
        ("empty", b""),
        ("text", b"image depth\n1 0\n"),
        ("other_magic_number", b"".join(map(pickle.dumps, (1, 2, {}, {}, [])))),
        ("no_tensors", b"".join(map(pickle.dumps, (MAGIC, 1001, {}, [1], [])))),
        ("numbers", b"".join(map(pickle.dumps, (MAGIC, 1001, {}, {"a": 1})))),
    )
    def test_anything_else_is_a_value_error(self, contents):
        self.path.write_bytes(contents)
        with self.assertRaisesRegex(ValueError, "labels.pth is not a legacy"):
            read_torch(self.path)

    def test_truncated_file_is_a_value_error(self):
        tensor = Tensor("FloatStorage", "0", (2, 3), (3, 1))
        storage = np.ones(6, "<f4")
        write_torch(self.path, {"labels_weights": tensor}, {"0": storage})
        contents = self.path.read_bytes()
        for missing in (4, 24, 30, 60, len(contents) - 1):
            self.path.write_bytes(contents[:-missing])
            with self.assertRaisesRegex(ValueError, "labels.pth is not"):
                read_torch(self.path)

    def test_newer_torch_format_is_a_value_error(self):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("labels/data.pkl", pickle.dumps({}))
        with self.assertRaisesRegex(ValueError, "labels.pth is not a legacy"):
            read_torch(self.path)


class NumpyTest(TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.get_temp_dir()) / "labels.npy"

    def test_array(self):
        array = np.array([[1.0, 0.5], [0.0, 1.0]])
        np.save(self.path, array)
        self.assertAllEqual(read_numpy(self.path), array)

    def test_pickled_dict(self):
        lists = {"semseg": ["2008_000002", 7], "edge": [np.int64(3)]}
        np.save(self.path, np.asarray(lists, object))
        self.assertEqual(read_numpy(self.path), lists)

    def test_code_is_refused_and_not_run(self):
        proof = self.path.with_name("proof")
        payload = Malicious(f"touch {proof}")
        for contents in (payload, {"depth": [payload]}):
            np.save(self.path, np.asarray(contents, object))
            with self.assertRaisesRegex(ValueError, r"posix\.system"):
                read_numpy(self.path)
            self.assertFalse(proof.exists())

    @parameterized.named_parameters(
        ("empty", b""),
        ("text", b"image depth\n1 0\n"),
        ("only_a_header", b"\x93NUMPY\x01\x00"),
    )
    def test_anything_else_is_a_value_error(self, contents):
        self.path.write_bytes(contents)
        with self.assertRaisesRegex(ValueError, "labels.npy is not a label"):
            read_numpy(self.path)

    @parameterized.parameters([["depth", "normals"]], [3], [None])
    def test_objects_other_than_a_dict_are_a_value_error(self, contents):
        array = np.empty((), object)
        array[()] = contents
        np.save(self.path, array)
        with self.assertRaisesRegex(ValueError, "labels.npy is not a label"):
            read_numpy(self.path)


class Malicious:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class Global:
    """Stands for a class or function of PyTorch when pickled."""

    def __init__(self, module, name):
        self.__module__, self.__qualname__ = module, name

    def __call__(self):
        raise NotImplementedError


class Tensor:
    """Is pickled as PyTorch pickles a tensor."""

    def __init__(self, storage, key, size, strides, offset=0):
        self.storage = Storage(storage, key)
        self.arguments = (self.storage, offset, size, strides, False, {})

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


@dataclasses.dataclass
class Storage:
    kind: str
    key: str


class TorchPickler(pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        kind = getattr(sys.modules["torch"], value.kind)
        return "storage", kind, value.key, "cpu", 0, None

    def reducer_override(self, value):
        return (
            value.__qualname__ if isinstance(value, Global) else NotImplemented
        )


def write_torch(path, tensors, storages):
    """Writes what `torch.save` wrote before PyTorch 1.6, without torch."""
    kinds = ("Float", "Double", "Long", "Int", "Byte", "Bool")
    torch = types.ModuleType("torch")
    for name in (f"{kind}Storage" for kind in kinds):
        setattr(torch, name, Global("torch", name))
    utils = types.ModuleType("torch._utils")
    utils._rebuild_tensor_v2 = Global("torch._utils", "_rebuild_tensor_v2")
    modules = {"torch": torch, "torch._utils": utils}
    with path.open("wb") as file, mock.patch.dict(sys.modules, modules):
        for part in (MAGIC, PROTOCOL, SYSTEM):
            pickle.dump(part, file, protocol=2)
        TorchPickler(file, protocol=2).dump(tensors)
        pickle.dump(sorted(storages), file, protocol=2)
        for key in sorted(storages):
            file.write(struct.pack("<q", storages[key].size))
            file.write(storages[key].tobytes())
