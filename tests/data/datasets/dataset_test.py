import numpy as np
from absl.testing import parameterized

from jtr_keras.data import DATASETS, Augmentation, Dataset
from jtr_keras.tasks import Depth
from tests import toy
from tests.data.source import RandomSource
from tests.testing import TestCase


def random_dataset(**options):
    return Dataset(
        "random",
        lambda root, split: RandomSource(6),
        {"depth": Depth},
        (),
        **options,
    )


class DatasetTest(TestCase):
    def test_options_replace_the_data_set_s_own(self):
        options = {"depth": {"mean": 5.0}}
        tasks = DATASETS["rooms"].make_tasks(["depth", "normals"], options)
        self.assertEqual([t.name for t in tasks], ["depth", "normals"])
        self.assertEqual((tasks[0].mean, tasks[0].stddev), (5.0, 0.86))

    @parameterized.parameters("rooms", "nyuv2", "cityscapes")
    def test_other_classes_have_no_names_of_the_data_set_s(self, name):
        (usual,) = DATASETS[name].make_tasks(["segmentation"])
        self.assertLen(usual.class_names, usual.num_classes)
        options = {"segmentation": {"num_classes": 3}}
        (other,) = DATASETS[name].make_tasks(["segmentation"], options)
        self.assertEqual((other.num_classes, other.class_names), (3, None))
        names = {"num_classes": 2, "class_names": ["far", "near"]}
        (named,) = DATASETS[name].make_tasks(
            ["segmentation"], {"segmentation": names}
        )
        self.assertEqual(named.class_names, ["far", "near"])

    @parameterized.parameters(
        ("rooms", ["dept"], None, "no task 'dept' in .*'rooms'.*'depth'"),
        ("rooms", None, {"dept": {}}, "no task 'dept'"),
        ("rooms", ["depth"], {"depth": {"average": 1}}, "'depth'.*'average'"),
        ("cityscapes", None, None, "'depth'.*'mean' and 'stddev'"),
        ("folder", None, None, "'segmentation'.*'num_classes'.*task_options"),
        ("rooms", None, {"depth": {"stddev": 0}}, "'depth'.*positive; got 0"),
    )
    def test_errors(self, name, tasks, options, message):
        with self.assertRaisesRegex(ValueError, message):
            DATASETS[name].make_tasks(tasks, options)

    def test_unknown_data_set(self):
        with self.assertRaisesRegex(ValueError, "'room'.*'rooms'"):
            DATASETS.find("room")

    def test_prints_its_name_and_tasks(self):
        self.assertEqual(
            repr(random_dataset()), "Dataset('random', tasks=['depth'])"
        )
        for name in DATASETS:
            self.assertStartsWith(repr(DATASETS[name]), f"Dataset({name!r}, ")

    def test_the_training_split_alone_is_shuffled_and_augmented(self):
        mirror = Augmentation((1.0,), flip=1.0, num_photometric=0)
        dataset = random_dataset(augmentation=mirror)
        images = RandomSource(6).arrays["image"].numpy()
        for split, expected in (
            ("train[:5]", images[:5, :, ::-1]),
            ("val[1:]", images[1:]),
        ):
            data = dataset.load("", split, toy.make_tasks(), batch_size=5)
            ((x, _, _),) = data
            order = np.argsort(np.mean(x, axis=(1, 2, 3)))
            sorted_ = np.argsort(np.mean(expected, axis=(1, 2, 3)))
            self.assertAllClose(x.numpy()[order], expected[sorted_])
            shuffled = np.abs(x - expected).max() > 0.1
            self.assertEqual(shuffled, split.startswith("train"))

    def test_held_out_images_are_not_augmented_when_asked(self):
        data = random_dataset().load(
            "", "train[4:]", toy.make_tasks(), training=False
        )
        images, _, _ = next(iter(data))
        expected = RandomSource(6).arrays["image"].numpy()
        self.assertAllClose(images, expected[4:])
        self.assertEqual(np.shape(images), (2, *toy.SIZE, 3))
