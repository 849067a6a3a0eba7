import keras
import numpy as np

from jtr_keras.data import Augmentation, pipeline
from jtr_keras.training import EpochSynchronization
from tests import toy
from tests.data.source import RandomSource
from tests.testing import TestCase


class KilledError(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    """Ends the program in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch
        self.now = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch and batch == 0:
            raise KilledError


def fit(folder, *callbacks):
    """Four epochs of all that is random: order, views, colours, samples."""
    source = RandomSource(4)
    data = pipeline(
        source,
        toy.make_tasks(),
        labels="randomlabels",
        num_views=3,
        batch_size=2,
        augmentation=Augmentation(),
        training=True,
    )
    model = toy.make_model(toy.make_regularization(semantics="reference"))
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    model.fit(data, epochs=4, callbacks=[*callbacks, backup], verbose=0)
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


class ResumeTest(TestCase):
    def test_a_resumed_run_ends_as_an_uninterrupted_one(self):
        expected = fit(f"{self.get_temp_dir()}/whole")
        folder = f"{self.get_temp_dir()}/killed"
        with self.assertRaises(KilledError):
            fit(folder, KillAfter(epoch=2))
        self.assertAllClose(fit(folder), expected, atol=1e-6)
        # A run that is over stays as it is.
        self.assertAllClose(fit(folder), expected, atol=1e-6)


class EpochSynchronizationTest(TestCase):
    def test_sets_the_epoch_of_our_datasets_only(self):
        source = RandomSource(2)
        data = pipeline(source, toy.make_tasks(), batch_size=2)
        callback = EpochSynchronization(data)
        callback.on_epoch_begin(7)
        self.assertEqual(data.epochs.epoch, 7)
        EpochSynchronization(np.ones(3)).on_epoch_begin(7)  # No error.
