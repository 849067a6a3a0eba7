"""Loaders that are not ours, in processes without this library."""

import pathlib
import subprocess
import sys

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from jtr_keras.export.signatures import decode_images
from tests.export import example
from tests.testing import TestCase

SOURCE = pathlib.Path(__file__).with_name("load_saved_model.cc")
TENSORFLOW = """
import numpy as np, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
images = tf.constant(np.load(sys.argv[2]))
outputs = loaded.signatures["serving_default"](images=images)
np.savez(sys.argv[3], **{k: v.numpy() for k, v in outputs.items()})
"""
OPENVINO = """
sys.modules["tensorflow"] = None
import numpy as np, openvino
hint = {"INFERENCE_PRECISION_HINT": "f32"}
model = openvino.Core().compile_model(sys.argv[1], "CPU", hint)
outputs = model({"images": np.load(sys.argv[2])})
np.savez(sys.argv[3], **{
    name: value for key, value in outputs.items() for name in key.names
    if name.isidentifier()
})
"""


class OtherProcessTest(TestCase):
    def run_program(self, code):
        """Images, and what the program makes of them."""
        folder = pathlib.Path(self.get_temp_dir())
        images = example.requests()["images", "float32"]
        np.save(folder / "images.npy", images)
        done = example.run_alone(
            code,
            example.folder() / "1",
            folder / "images.npy",
            folder / "outputs.npz",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return images, np.load(folder / "outputs.npz")

    def assert_equals_keras(self, code, atol):
        images, outputs = self.run_program(code)
        expected = example.predict(images)
        for name, value in expected.items():
            self.assertAllClose(outputs[name], value, atol=atol, msg=name)

    def test_tensorflow_alone(self):
        self.assert_equals_keras(TENSORFLOW, atol=1e-5)

    def test_openvino_without_tensorflow(self):
        self.assert_equals_keras(OPENVINO, atol=1e-4)


class CppTest(TestCase):
    """The loader that TensorFlow Serving calls, from C++."""

    def build(self):
        """The program, linked with the library in TensorFlow's wheel."""
        program = pathlib.Path(self.get_temp_dir()) / "load_saved_model"
        folder = tf.sysconfig.get_lib()
        done = subprocess.run(
            [
                "g++",
                "-w",  # Warnings of TensorFlow's headers.
                *tf.sysconfig.get_compile_flags(),
                str(SOURCE),
                *("-o", str(program)),
                f"-L{folder}",
                f"-Wl,-rpath,{folder}",
                "-Wl,--no-as-needed",  # Kernels register as they are loaded.
                "-l:libtensorflow_cc.so.2",
                "-l:libtensorflow_framework.so.2",
            ],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return program

    def test_every_signature(self):
        if sys.platform != "linux":
            self.skipTest("Linker flags are those of Linux.")
        folder = pathlib.Path(self.get_temp_dir()) / "tensors"
        folder.mkdir()
        requests = example.requests()
        sent = {}
        for name, function in example.loaded().signatures.items():
            ((key, spec),) = function.structured_input_signature[1].items()
            sent[name] = {key: requests[key, spec.dtype.name]}
            proto = tf.make_tensor_proto(sent[name][key])
            path = folder / f"{name}.{key}.pb"
            path.write_bytes(proto.SerializeToString())
        done = subprocess.run(
            [self.build(), example.folder() / "1", folder],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            sorted(done.stdout.splitlines()), sorted(f"{n}: OK" for n in sent)
        )
        for name, inputs in sent.items():
            outputs = self.outputs(name, inputs)
            for key, value in outputs.items():
                data = (folder / f"{name}.{key}.out.pb").read_bytes()
                proto = tensor_pb2.TensorProto.FromString(data)
                found = tf.make_ndarray(proto)
                self.assertEqual(found.dtype, value.dtype)
                floats = np.issubdtype(value.dtype, np.floating)
                self.assertAllClose(
                    found.astype(float),
                    value.astype(float),
                    atol=1e-5
                    if floats
                    else 1.0,  # May be rounded the other way.
                    msg=f"{name} {key}",
                )

    def outputs(self, name, inputs):
        """What Keras predicts."""
        if "image_bytes" in inputs:
            files = tf.constant(inputs["image_bytes"])
            images = decode_images(files, example.SIZE).numpy()
        else:
            images = inputs["images"].astype("float32")
            images /= 255 if inputs["images"].dtype == np.uint8 else 1
        outputs = example.predict(images)
        if not name.startswith("classes"):
            return outputs
        return {
            task.name: task.codec.quantize(outputs[task.name]).numpy()
            for task in example.model().tasks
        }
