from unittest import mock

import numpy as np

from jtr_keras.callbacks import EpochSynchronization
from jtr_keras.data import pipeline
from tests import toy
from tests.data.source import RandomSource
from tests.testing import TestCase


class EpochSynchronizationTest(TestCase):
    def test_sets_the_epoch_of_our_datasets_only(self):
        source = RandomSource(2)
        data = pipeline(source, toy.make_tasks(), batch_size=2)
        callback = EpochSynchronization(data)
        callback.on_epoch_begin(7)
        self.assertEqual(data.epochs.epoch, 7)
        EpochSynchronization(np.ones(3)).on_epoch_begin(7)  # No error.
        other = mock.Mock(epochs=mock.Mock(epoch=2))
        EpochSynchronization(other).on_epoch_begin(7)
        self.assertEqual(other.epochs.epoch, 2)
