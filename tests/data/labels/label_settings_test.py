import pathlib
import unittest

import numpy as np
from absl.testing import parameterized

from jtr_keras.data import SourceSlice, label_matrix
from jtr_keras.tasks import DenseRegression
from tests.data.files import NamesSource, make_tasks
from tests.testing import TestCase

PUBLISHED = pathlib.Path(__file__).parents[4] / "shared" / "label_settings"


def tasks_of(count):
    return [DenseRegression(f"task_{index}") for index in range(count)]


class LabelMatrixTest(TestCase):
    def test_full(self):
        matrix = label_matrix("full", NamesSource(4), tasks_of(2))
        self.assertAllEqual(matrix, np.ones((4, 2)))
        self.assertEqual(matrix.dtype, np.float32)

    def test_available_are_those_that_there_are(self):
        source = NamesSource(3)
        matrix = label_matrix("available", source, make_tasks())
        self.assertAllEqual(matrix, np.ones((3, 3)))
        found = {
            "segmentation": [1, 0, 1],
            "depth": [0, 1, 0],
            "normals": [0, 0, 1],
        }
        source.annotated = lambda name: np.array(found[name], bool)
        tasks = make_tasks()[::-1]
        matrix = label_matrix("available", source, tasks)
        self.assertAllEqual(matrix, [[0, 0, 1], [0, 1, 0], [1, 0, 1]])
        self.assertEqual(matrix.dtype, np.float32)
        slice = SourceSlice(source, 1, 3)
        self.assertAllEqual(slice.annotated("depth"), [True, False])
        message = "None of the 1 images .*'depth'.*depth/room_2"
        with self.assertRaisesRegex(ValueError, message):
            label_matrix("available", SourceSlice(source, 2, 3), tasks)

    @parameterized.parameters((12, 3), (13, 3), (10, 1), (9, 8))
    def test_onelabel_is_one_an_image_in_equal_shares(self, images, tasks):
        matrix = label_matrix("onelabel", NamesSource(images), tasks_of(tasks))
        shares = matrix.sum(axis=0)
        self.assertAllEqual(matrix.sum(axis=1), np.ones(images))
        self.assertLessEqual(shares.max() - shares.min(), 1)

    @parameterized.parameters(
        ("randomlabels", 1, {1}),
        ("randomlabels", 2, {1}),
        ("randomlabels", 3, {1, 2}),
        ("randomlabels", 5, {1, 2, 3, 4}),
        ("halflabels", 1, {1}),
        ("halflabels", 2, {1}),
        ("halflabels", 3, {1, 2}),
        ("halflabels", 5, {2, 3}),
        ("halflabels", 8, {4}),
    )
    def test_labels_an_image(self, setting, tasks, expected):
        matrix = label_matrix(setting, NamesSource(200), tasks_of(tasks))
        self.assertEqual(set(matrix.sum(axis=1)), expected)
        self.assertEqual(set(np.unique(matrix)) - {0.0, 1.0}, set())
        # No task is preferred: shares within five standard deviations.
        share = np.mean(sorted(expected)) / tasks
        self.assertAllClose(matrix.mean(axis=0), [share] * tasks, atol=0.18)

    @parameterized.parameters("onelabel", "randomlabels", "halflabels")
    def test_random_settings_follow_the_seed(self, setting):
        first, same, other = (
            label_matrix(setting, NamesSource(30), tasks_of(3), seed=seed)
            for seed in (5, 5, 6)
        )
        self.assertAllEqual(first, same)
        self.assertGreater(np.abs(first - other).sum(), 0)
        # Not in the order of the images.
        self.assertGreater(np.abs(first[:15] - first[15:]).sum(), 0)

    def test_ratios(self):
        ratios = {"normals": 1.0, "depth": 0.25, "segmentation": 0.0}
        first, same, other = (
            label_matrix(ratios, NamesSource(40), make_tasks(), seed=seed)
            for seed in (1, 1, 2)
        )
        self.assertAllEqual(first.sum(axis=0), [0, 10, 40])
        self.assertAllEqual(first, same)
        self.assertGreater(np.abs(first - other).sum(), 0)

    def test_array_is_taken_as_it_is(self):
        array = [[1, 0], [0.5, 1], [0, 0]]
        matrix = label_matrix(array, NamesSource(3), tasks_of(2))
        self.assertAllEqual(matrix, array)
        self.assertEqual(matrix.dtype, np.float32)

    @parameterized.parameters(
        ({"depth": 0.5}, r"\['segmentation', 'depth', 'normals'\].*'depth': 0"),
        (
            {"segmentation": 1.5, "depth": 0.5, "normals": 0.0},
            "between 0 and 1; got .*1.5",
        ),
        (
            {"segmentation": 1, "depth": 1, "normals": 1, "edges": 1},
            "got .*'edges'",
        ),
        (np.ones((4, 3)), r"must have shape \(3, 3\).*got \(4, 3\)"),
        (np.ones((3, 2)), r"must have shape \(3, 3\).*got \(3, 2\)"),
        (None, r"must have shape \(3, 3\).*got \(\)"),
        (np.full((3, 3), -1), "weights between 0 and 1"),
        (np.full((3, 3), 2), "weights between 0 and 1"),
        (np.full((3, 3), np.nan), "weights between 0 and 1"),
        (
            "onelabels",
            "one of .*'available', 'full', 'onelabel'.*got 'onelabels'",
        ),
        ("missing.pth", "an existing .pth or .npy file; got 'missing.pth'"),
        (__file__, "an existing .pth or .npy file; got .*test.py"),
    )
    def test_errors_name_what_was_expected_and_what_came(self, labels, message):
        with self.assertRaisesRegex(ValueError, message):
            label_matrix(labels, NamesSource(3), make_tasks())


class FileTest(TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.get_temp_dir()) / "labels.npy"

    def test_columns_are_in_the_source_s_order(self):
        array = np.array([[1, 0, 0], [0, 0, 1], [1, 1, 0]], "float32")
        np.save(self.path, array)
        segmentation, _, normals = make_tasks()
        for given in (self.path, str(self.path)):
            matrix = label_matrix(
                given, NamesSource(3), [normals, segmentation]
            )
            self.assertAllEqual(matrix, array[:, [2, 0]])

    def test_lists_of_image_names(self):
        lists = {
            "depth": ["room_2", "elsewhere"],
            "normals": ["room_0", "room_2"],
            "segmentation": [],
        }
        np.save(self.path, np.asarray(lists, object))
        matrix = label_matrix(self.path, NamesSource(3), make_tasks())
        self.assertAllEqual(matrix, [[0, 0, 1], [0, 0, 0], [0, 1, 1]])

    def test_lists_of_other_images(self):
        lists = {task.name: ["000.png"] for task in make_tasks()}
        np.save(self.path, np.asarray(lists, object))
        with self.assertRaisesRegex(ValueError, "lists no image.*'room_0'"):
            label_matrix(self.path, NamesSource(3), make_tasks())

    @parameterized.parameters(
        (np.ones((2, 3)), r"labels.npy must have shape \(3, 3\).*got \(2, 3\)"),
        (np.ones((3, 4)), r"labels.npy must have shape \(3, 3\).*got \(3, 4\)"),
        (np.ones(()), r"labels.npy must have shape .*got \(\)"),
        (np.full((3, 3), 7), "labels.npy must hold weights between 0 and 1"),
        (np.ones((3, 2)), r"columns for .*'depth'\], none for \['normals'\]"),
        (
            np.asarray({"depth": [], "saliency": []}, object),
            r"lists \['depth', 'saliency'\], not \['normals', 'segmentation'\]",
        ),
    )
    def test_errors_name_the_file(self, contents, message):
        np.save(self.path, contents)
        with self.assertRaisesRegex(ValueError, message):
            label_matrix(self.path, NamesSource(3), make_tasks())


@unittest.skipUnless(PUBLISHED.exists(), "needs the published label files")
class PublishedFilesTest(TestCase):
    @parameterized.parameters(
        ("nyuv2_onelabel", (265, 265, 265), (795, 0), 948435),
        ("nyuv2_randomlabels", (392, 408, 385), (405, 390), 1419128),
        ("cityscapes_onelabel", (1487, 1488), (2975, 0), 8852113),
    )
    def test_counts(self, name, labels, rows, checksum):
        source, tasks = NamesSource(sum(rows)), make_tasks()[: len(labels)]
        matrix = label_matrix(PUBLISHED / f"{name}.pth", source, tasks)
        numbers = np.bincount(matrix.sum(axis=1).astype(int), minlength=3)
        weights = np.arange(1, matrix.size + 1).reshape(matrix.shape)
        self.assertAllEqual(matrix.sum(axis=0), labels)
        self.assertAllEqual(numbers, (0, *rows))
        self.assertEqual((matrix.astype(int) * weights).sum(), checksum)
