import numpy as np

from jtr_keras.data import picture
from tests import toy
from tests.testing import TestCase


class PictureTest(TestCase):
    def test_cells_are_where_they_belong(self):
        images, targets, labelled = toy.make_batch(((1, 0, 0, 0),) * 2, views=1)
        predictions = toy.make_predictions(batch=2, views=1)
        tasks = toy.make_tasks()[:2]
        table = picture(tasks, images, targets, labelled, predictions)
        pixels = np.asarray(table)
        self.assertEqual(table.size, (5 * 18 - 2, 2 * 18 - 2 + 14))
        image = np.round(images[0, 0].numpy() * 255)
        self.assertAllEqual(pixels[14:30, :16], image)
        labels = tasks[0].draw(targets["segmentation"][1, 0].numpy(), False)
        self.assertAllEqual(pixels[32:48, 18:34], labels)
        depth = tasks[1].draw(predictions["depth"][1, 0].numpy(), True)
        self.assertAllEqual(pixels[32:48, 72:88], depth)
        # An unlabelled cell is grey but for its text.
        self.assertAllEqual(pixels[29, 54:70], np.full((16, 3), 200))

    def test_views_are_rows(self):
        images, targets, labelled = toy.make_batch(views=3)
        table = picture(toy.make_tasks(), images, targets, labelled, None, 2)
        self.assertEqual(table.size[1], 6 * 18 - 2 + 14)

    def test_a_task_that_lacks_is_named(self):
        images, targets, labelled = toy.make_batch(views=1)
        targets = {"depth": targets["depth"]}
        message = r"`targets` must be a dict of all tasks.*got \['depth'\]"
        with self.assertRaisesRegex(ValueError, message):
            picture(toy.make_tasks(), images, targets, labelled)
