"""One small exported model, made once for all tests of this folder."""

import atexit
import functools
import io
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import jtr_keras as jtr
from tests import toy

NAME = "toy"
SIZE = (24, 32)
METRICS = {"depth_abs_err": 0.5}


@functools.cache
def model():
    """A model after a training step."""
    model = toy.make_model(jtr.regularization.ViewConsistency())
    model.compile("sgd", jit_compile=False)
    model.fit(toy.make_dataset(toy.make_batch(views=2)), verbose=0)
    # Vectors near 0 would enlarge the rounding errors of other loaders.
    model.predictor.heads["normals"].projection.bias.assign([1.0, -2.0, 3.0])
    return model


def predict(images):
    """What the network predicts, as arrays."""
    outputs = model().predictor(tf.constant(images, "float32"), training=False)
    return {name: value.numpy() for name, value in outputs.items()}


@functools.cache
def folder():
    """`NAME` with one version of the model."""
    root = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root)
    model().export(
        root / NAME,
        image_size=SIZE,
        metrics=METRICS,
        training={"flags": {"epochs": 1}},
        warmup=True,
    )
    return root / NAME


@functools.cache
def loaded():
    """The version, as TensorFlow loads it."""
    return tf.saved_model.load(str(folder() / "1"))


def serve(signature, **inputs):
    """What a signature of the version answers."""
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    outputs = loaded().signatures[signature](**tensors)
    return {name: value.numpy() for name, value in outputs.items()}


def extra(name):
    """A file of the version that is not part of the graph."""
    return folder() / "1" / "assets.extra" / name


def images(size=(21, 30), count=2):
    """Smooth random images as bytes; both sides of them odd or even."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (count, 5, 6, 3)).astype(np.uint8)
    return np.stack(
        [np.asarray(Image.fromarray(x).resize(size[::-1])) for x in small]
    )


def encode(image, kind="PNG"):
    """The bytes of an image file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def requests():
    """For each input that signatures have, by name and dtype, a value."""
    integers = images()
    files = [encode(integers[0], "JPEG"), encode(integers[1, :9, :17])]
    return {
        ("images", "float32"): integers.astype("float32") / 255,
        ("images", "uint8"): integers,
        ("image_bytes", "string"): np.array(files, object),
    }


def run_alone(code, *arguments):
    """Runs Python without this repository or an editable install of it."""
    packages = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    begin = (
        "import sys, importlib.util\n"
        f"sys.path += {sorted(packages)}\n"
        "assert importlib.util.find_spec('jtr_keras') is None\n"
    )
    return subprocess.run(
        # -S: no .pth files, which is how editable installs are found.
        [sys.executable, "-S", "-E", "-c", begin + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=tempfile.gettempdir(),
    )


def litert_input(path):
    """Shape of the input of a LiteRT file."""
    return Interpreter(str(path)).get_input_details()[0]["shape"]
