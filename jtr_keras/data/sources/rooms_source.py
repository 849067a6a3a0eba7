"""The Rooms set, as it is packed into the package."""

import pathlib

import tensorflow as tf

from jtr_keras.data.sources.encodings import ENCODINGS, decode
from jtr_keras.data.sources.source import Source
from jtr_keras.types import Tensor

SHARDS = pathlib.Path(__file__).parents[1] / "rooms_shards"
MAIN = ("segmentation", "depth", "normals")
EXTRA = (
    *("edge_texture", "edge_occlusion", "reshading", "keypoints2d"),
    "principal_curvature",
)
SPLITS = ("train", "val")


class RoomsSource(Source):
    """800 train and 200 val images of 96x128; synthetic indoor scenes.

    Three annotations come with the package; five more, for experiments with
    many tasks, only with the repository.

    Args:
        split: `"train"` or `"val"`.

    Raises:
        ValueError: If the split is unknown.
    """

    size = (96, 128)
    columns = (*MAIN, *EXTRA)

    def __init__(self, split: str) -> None:
        if split not in SPLITS:
            raise ValueError(f"`split` must be one of {SPLITS}; got {split!r}.")
        self.split = self.origin = split
        self.encoded = _read_shard("main", split, ("image", *MAIN))
        if _shard("extra", split).exists():
            self.encoded |= _read_shard("extra", split, EXTRA)
        self.channels = {
            name: ENCODINGS[name].channels
            for name in self.columns
            if name in self.encoded
        }
        count = len(self.encoded["image"])
        self.names = [f"{index:04d}" for index in range(count)]

    def file(self, index: int, name: str) -> str:
        shard = _shard("extra" if name in EXTRA else "main", self.split)
        return f"{shard}, record {index}"

    def read(self, index: Tensor, name: str) -> Tensor:
        return decode(name, tf.gather(self.encoded[name], index))


def _shard(kind: str, split: str) -> pathlib.Path:
    return SHARDS / f"{kind}-{split}.tfrecord"


def _read_shard(
    kind: str, split: str, names: tuple[str, ...]
) -> dict[str, Tensor]:
    """All encoded files of a shard, as string tensors in memory."""
    features = {name: tf.io.FixedLenFeature((), tf.string) for name in names}
    records = tf.data.TFRecordDataset(str(_shard(kind, split)))
    batch = records.batch(100_000).map(
        lambda record: tf.io.parse_example(record, features)
    )
    return dict(batch.get_single_element())
