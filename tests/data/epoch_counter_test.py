from jtr_keras.data.epoch_counter import EpochCounter
from tests.testing import TestCase


class EpochCounterTest(TestCase):
    def test_counts_iterations(self):
        counter = EpochCounter()
        dataset = counter.dataset()
        seen = [int(epoch) for _ in range(3) for epoch in dataset]
        self.assertEqual(seen, [0, 1, 2])
        self.assertEqual(counter.epoch, 3)

    def test_can_be_set(self):
        counter = EpochCounter()
        dataset = counter.dataset()
        counter.epoch = 7
        self.assertEqual([int(epoch) for epoch in dataset], [7])
        self.assertEqual(counter.epoch, 8)
