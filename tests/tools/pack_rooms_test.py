import pathlib
from unittest import mock

import numpy as np
from PIL import Image

from jtr_keras.data import ENCODINGS, FolderSource, RoomsSource
from jtr_keras.data.sources import rooms_source
from jtr_keras.data.sources.encodings import decode
from tests.data import files
from tests.testing import TestCase
from tools import pack_rooms


class PackRoomsTest(TestCase):
    def setUp(self):
        super().setUp()
        self.source = pathlib.Path(self.get_temp_dir()) / "rooms"
        self.target = self.source.with_name("shards")

    def write(self):
        for split, count in (("train", 3), ("val", 2)):
            files.write_folder(
                self.source, split, count, extra=True, suffix="jpg"
            )

    def test_what_is_read_back_equals_the_originals(self):
        self.write()
        pack_rooms.main(str(self.source), str(self.target))
        for split, count in (("train", 3), ("val", 2)):
            folder = FolderSource(self.source, split)
            with mock.patch.object(rooms_source, "SHARDS", self.target):
                packed = RoomsSource(split)
            self.assertEqual(packed.num_images, count)
            for name in ("image", *ENCODINGS):
                for index in range(count):
                    np.testing.assert_array_equal(
                        packed.read(index, name), folder.read(index, name)
                    )

    def test_without_further_tasks(self):
        self.write()
        pack_rooms.main(str(self.source), str(self.target))
        (self.target / "extra-val.tfrecord").unlink()
        with mock.patch.object(rooms_source, "SHARDS", self.target):
            channels = RoomsSource("val").channels
        self.assertEqual(
            channels, {"segmentation": 1, "depth": 1, "normals": 3}
        )

    def test_images_stay_and_annotations_shrink(self):
        self.write()
        image = files.path(self.source, "val", "image", 0, "jpg")
        self.assertEqual(pack_rooms.encoded(str(image)), image.read_bytes())
        depth = files.path(self.source, "val", "depth", 0)
        loose = Image.fromarray(np.full((64, 64), 2000, "uint16"))
        loose.save(depth, compress_level=0)
        packed = pack_rooms.encoded(str(depth))
        self.assertLess(len(packed), depth.stat().st_size / 10)
        self.assertAllEqual(decode("depth", packed), np.full((64, 64, 1), 2.0))

    def test_broken_files_are_not_packed(self):
        self.write()
        broken = files.path(self.source, "train", "segmentation", 1)
        files.save(np.full(files.SIZE, 13, "uint8"), broken)
        with self.assertRaisesRegex(ValueError, f"{broken}.*class ids"):
            pack_rooms.main(str(self.source), str(self.target))
        self.assertEqual(list(self.target.glob("*")), [])
