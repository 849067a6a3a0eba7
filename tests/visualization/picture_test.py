import numpy as np
from absl.testing import parameterized

from jtr_keras.types import IMAGES
from jtr_keras.visualization import paint, picture
from tests import toy
from tests.testing import TestCase


class PaintTest(TestCase):
    def test_classes_have_the_colours_of_the_palette(self):
        segmentation, *_ = toy.make_tasks()
        labels = np.array([[[2], [0], [-1], [3]]])
        colours = segmentation.describe()["colours"]
        expected = [[colours[2], colours[0], [0, 0, 0], [0, 0, 0]]]
        self.assertAllEqual(paint(segmentation, labels), expected)
        logits = np.array([[[0.1, 0.0, 0.9], [3.0, 2.0, 1.0]]])
        found = paint(segmentation, logits, predicted=True)
        self.assertAllEqual(found, [[colours[2], colours[0]]])

    def test_a_predicted_zero_is_not_void(self):
        _, depth, normals, _ = toy.make_tasks()
        for task in (depth, normals):
            zeros = np.zeros((1, 1, task.channels), "float32")
            self.assertAllEqual(paint(task, zeros), np.zeros((1, 1, 3)))
            self.assertGreater(paint(task, zeros, predicted=True).max(), 0)

    @parameterized.parameters(*range(4))
    def test_void_pixels_alone_are_black(self, index):
        task = toy.make_tasks()[index]
        _, targets, _ = toy.make_batch(np.ones((1, 4)), views=1)
        colours = paint(task, targets[task.name][0, 0])
        self.assertEqual(colours.dtype, np.uint8)
        self.assertAllEqual(colours.max(axis=-1) == 0, toy.FIRST_ROW)


class PictureTest(TestCase):
    def test_cells_are_where_they_belong(self):
        inputs, targets, labelled = toy.make_batch(((1, 0, 0, 0),) * 2, views=1)
        images = inputs[IMAGES]
        predictions = toy.make_predictions(batch=2, views=1)
        tasks = toy.make_tasks()[:2]
        table = picture(tasks, images, targets, labelled, predictions)
        pixels = np.asarray(table)
        self.assertEqual(table.size, (5 * 18 - 2, 2 * 18 - 2 + 14))
        image = np.round(images[0, 0].numpy() * 255)
        self.assertAllEqual(pixels[14:30, :16], image)
        labels = paint(tasks[0], targets["segmentation"][1, 0])
        self.assertAllEqual(pixels[32:48, 18:34], labels)
        depth = paint(tasks[1], predictions["depth"][1, 0], predicted=True)
        self.assertAllEqual(pixels[32:48, 72:88], depth)
        # An unlabelled cell is grey but for its text.
        self.assertAllEqual(pixels[29, 54:70], np.full((16, 3), 200))

    def test_views_are_rows(self):
        inputs, targets, labelled = toy.make_batch(views=3)
        table = picture(toy.make_tasks(), inputs, targets, labelled, None, 2)
        self.assertEqual(table.size[1], 6 * 18 - 2 + 14)
        pixels = np.asarray(table)
        second = np.round(inputs[IMAGES][1, 2].numpy() * 255)
        self.assertAllEqual(pixels[14 + 5 * 18 :, :16], second)

    def test_a_training_batch_is_taken_as_it_is(self):
        inputs, *rest = toy.make_batch(views=2)
        tasks = toy.make_tasks()
        self.assertAllEqual(
            np.asarray(picture(tasks, inputs, *rest)),
            np.asarray(picture(tasks, inputs[IMAGES], *rest)),
        )

    def test_a_missing_task_is_named(self):
        inputs, targets, labelled = toy.make_batch(views=1)
        targets = {"depth": targets["depth"]}
        message = r"`targets` must be a dict of all tasks.*got \['depth'\]"
        with self.assertRaisesRegex(ValueError, message):
            picture(toy.make_tasks(), inputs, targets, labelled)
