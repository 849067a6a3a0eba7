import numpy as np

from jtr_keras.data import ENCODINGS, RoomsSource, check, rooms
from jtr_keras.data.datasets.rooms import ROOMS
from jtr_keras.types import IMAGES
from tests.testing import TestCase


class RoomsTest(TestCase):
    def test_every_annotation_fits_its_task(self):
        self.assertEqual(list(ROOMS.tasks), list(ENCODINGS))
        tasks = ROOMS.make_tasks(list(ROOMS.tasks))
        source = RoomsSource("val")
        labels = np.zeros((200, len(tasks)))
        labels[::20] = 1
        check(source, tasks, labels, verbose=0)
        annotated = [
            task.valid_mask(source.target(0, task)[None]).numpy().mean()
            for task in tasks
        ]
        self.assertGreater(min(annotated), 0.5)

    def test_training_has_views_and_evaluation_has_none(self):
        tasks = ROOMS.make_tasks(["depth"])
        train = rooms("train", tasks, num_views=3, batch_size=2)
        images = train.element_spec[0][IMAGES]
        self.assertEqual(images.shape, (2, 3, 96, 128, 3))
        self.assertEqual(int(train.cardinality()), 400)
        val = rooms("val", tasks, batch_size=2)
        self.assertEqual(val.element_spec[0].shape[1:], (96, 128, 3))
        self.assertEqual(int(val.cardinality()), 100)
