"""Packs the Rooms set into the shards that come with the package.

Usage: python -m tools.pack_rooms SOURCE [TARGET]

SOURCE holds train/ and val/ in the layout of `FolderSource`. Images stay the
JPEG files they are; annotations are compressed again, as small as PNG allows.
"""

import io
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from jtr_keras.data.checking import check
from jtr_keras.data.sources.folder_source import FolderSource
from jtr_keras.data.sources.rooms_source import EXTRA, MAIN, SHARDS, SPLITS
from jtr_keras.tasks.depth import Depth
from jtr_keras.tasks.semantic_segmentation import SemanticSegmentation
from jtr_keras.tasks.surface_normals import SurfaceNormals


def main(source: str, target: str = str(SHARDS)) -> None:
    """Writes one shard of the main and one of the further tasks a split."""
    pathlib.Path(target).mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        folder = FolderSource(source, split)
        tasks = [SemanticSegmentation(13), Depth(1.0, 1.0), SurfaceNormals()]
        check(folder, tasks, np.ones((folder.num_images, len(tasks))))
        for kind, names in (("main", ("image", *MAIN)), ("extra", EXTRA)):
            path = pathlib.Path(target) / f"{kind}-{split}.tfrecord"
            write(folder, names, path)
            print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")


def write(
    folder: FolderSource, names: tuple[str, ...], path: pathlib.Path
) -> None:
    """Writes the named files of every image, one record an image."""
    progress = keras.utils.Progbar(folder.num_images)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for index in range(folder.num_images):
            features = {
                name: tf.train.Feature(
                    bytes_list=tf.train.BytesList(
                        value=[encoded(folder.file(index, name))]
                    )
                )
                for name in names
            }
            example = tf.train.Example(
                features=tf.train.Features(feature=features)
            )
            writer.write(example.SerializeToString())
            progress.update(index + 1)


def encoded(path: str) -> bytes:
    """The file's bytes, a PNG's compressed as far as possible."""
    data = pathlib.Path(path).read_bytes()
    if not path.endswith(".png"):
        return data
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.save(buffer, "PNG", optimize=True)
    return min(data, buffer.getvalue(), key=len)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
