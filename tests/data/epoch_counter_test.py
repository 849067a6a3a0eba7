from jtr_keras.data.epoch_counter import EpochCounter
from tests.testing import TestCase


class EpochCounterTest(TestCase):
    def test_counts_iterations(self):
        counter = EpochCounter()
        dataset = counter.dataset().take(1)
        seen = [int(epoch) for _ in range(3) for epoch in dataset]
        self.assertEqual(seen, [0, 1, 2])
        self.assertEqual(counter.epoch, 3)

    def test_can_be_set(self):
        counter = EpochCounter()
        dataset = counter.dataset().take(1)
        counter.epoch = 7
        self.assertEqual([int(epoch) for epoch in dataset], [7])
        self.assertEqual(counter.epoch, 8)

    def test_an_iteration_counts_on_whatever_others_do(self):
        counter = EpochCounter()
        counter.epoch = 2
        one, other = iter(counter.dataset()), iter(counter.dataset())
        self.assertEqual([int(next(one)) for _ in range(3)], [2, 3, 4])
        self.assertEqual(int(next(other)), 3)
