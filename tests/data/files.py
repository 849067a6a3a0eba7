"""Tiny datasets in the layouts that the library reads."""

import pathlib

import numpy as np
from PIL import Image

from jtr_keras.data import Source
from jtr_keras.tasks import (
    DenseRegression,
    Depth,
    SemanticSegmentation,
    SurfaceNormals,
)

SIZE = (8, 12)  # height, width
MAIN = ("segmentation", "depth", "normals")
UNIT = ("edge_texture", "edge_occlusion", "reshading", "keypoints2d")


def make_tasks():
    return [
        SemanticSegmentation(num_classes=13),
        Depth(mean=2.0, stddev=1.0),
        SurfaceNormals(),
    ]


def curvature_task():
    return DenseRegression("principal_curvature", 2, -20.0, 20.0)


class NamesSource(Source):
    """Images that have names only; nothing can be read."""

    origin = "nowhere"
    size = SIZE
    channels = {"segmentation": 1, "depth": 1, "normals": 3}
    columns = MAIN

    def __init__(self, count):
        self.names = [f"room_{index}" for index in range(count)]

    def read(self, index, name):
        raise NotImplementedError

    def file(self, index, name):
        return f"{name}/{self.names[index]}"


def write_folder(root, split="train", count=3, extra=False, suffix="png"):
    """Writes a folder for `FolderSource`; returns the integers in its files.

    Names are `000`, `001`, ...; a dict of `(count, height, width, ...)`.
    """
    rng = np.random.default_rng(0)
    written = {
        "image": rng.integers(0, 256, (count, *SIZE, 3)).astype("uint8"),
        "segmentation": rng.integers(0, 13, (count, *SIZE)).astype("uint8"),
        "depth": rng.integers(500, 9000, (count, *SIZE)).astype("uint16"),
        "normals": rng.integers(140, 256, (count, *SIZE, 3)).astype("uint8"),
    }
    written["segmentation"][:, 0] = 255
    written["depth"][:, 0] = 0
    written["normals"][:, 0] = 128
    if extra:
        for name in UNIT:
            values = rng.integers(0, 256, (count, *SIZE))
            written[name] = values.astype("uint8")
        values = rng.integers(1, 256, (count, *SIZE, 3)).astype("uint8")
        values[:, 0] = 0
        written["principal_curvature"] = values
    for name, images in written.items():
        for index, image in enumerate(images):
            kind = suffix if name == "image" else "png"
            save(image, path(root, split, name, index, kind))
    return written


def path(root, split, name, index, suffix="png"):
    return pathlib.Path(root) / split / name / f"{index:03d}.{suffix}"


def save(image, where):
    where.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(where)


def write_npy(root, split="train", count=3):
    """Writes NYU-v2 in the MTAN layout; returns the arrays in its files."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(count, *SIZE, 3))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    written = {
        "image": rng.uniform(0, 1, (count, *SIZE, 3)),
        "label": rng.integers(-1, 13, (count, *SIZE)).astype("float64"),
        "depth": rng.uniform(0.5, 9.0, (count, *SIZE, 1)),
        "normal": normal,
    }
    for name, arrays in written.items():
        folder = pathlib.Path(root) / split / name
        folder.mkdir(parents=True)
        for index, array in enumerate(arrays):
            np.save(folder / f"{index}.npy", array)
    return written
