import keras
import numpy as np

import jtr_keras as jtr
from jtr_keras import regularization
from jtr_keras.data import Augmentation, pipeline
from tests import toy
from tests.aggregation.examples import MeanOfDirections
from tests.conformance import tiny
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


def make_data():
    """All that is random: order, views, colours, samples."""
    return pipeline(
        RandomSource(4),
        toy.make_tasks()[:2],
        labels="randomlabels",
        num_views=3,
        batch_size=2,
        augmentation=Augmentation(),
        training=True,
    )


def everything():
    """All that counts, averages or is random."""
    small = {"widths": (4,), "num_convs": (1,), "seed": 1}
    return {
        "regularization": [
            jtr.JointTaskRegularization("reference", **small),
            jtr.LabelRestoration(widths=(4,), warm_up=3, seed=1),
            regularization.PseudoLabels(threshold=0.5, warm_up=3),
            regularization.TaskPrototypes(dim=4, num_bins=5, stride=4),
            regularization.CrossTaskConsistency(**small),
        ],
        "balancing": jtr.balancing.RandomLossWeighting(
            seed=1, compensate_label_rate=True
        ),
        "aggregation": MeanOfDirections(),
    }


def make_model(**options):
    model = tiny.make_model(2, **options)
    # Eagerly: few steps take less time than to trace one.
    model.compile(
        keras.optimizers.Adam(1e-3), jit_compile=False, run_eagerly=True
    )
    return model


def state(model):
    """All variables, those of random numbers too, but not the metrics'."""
    metrics = {id(v) for v in model.metrics_variables}
    kept = [v.numpy() for v in model.variables if id(v) not in metrics]
    return np.concatenate([np.ravel(value) for value in kept])


def fit(folder, *callbacks):
    model = make_model(**everything())
    backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    model.fit(make_data(), epochs=3, callbacks=[*callbacks, backup], verbose=0)
    return state(model)


class ResumeTest(TestCase):
    def test_a_resumed_run_ends_as_an_uninterrupted_one(self):
        expected = fit(f"{self.get_temp_dir()}/whole")
        folder = f"{self.get_temp_dir()}/killed"
        with self.assertRaises(KilledError):
            fit(folder, KillAfter(epoch=1))
        self.assertAllClose(fit(folder), expected, atol=1e-6)
        # A run that is over stays as it is.
        self.assertAllClose(fit(folder), expected, atol=1e-6)


class EpochsTest(TestCase):
    def test_one_iteration_of_the_data_serves_all_epochs(self):
        data, model = make_data(), make_model()
        model.fit(data, epochs=3, verbose=0)
        # Every epoch sets it; a second iteration would have advanced it.
        self.assertEqual(data.epochs.epoch, 2)
        other = make_model()
        for epoch in range(3):
            other.fit(data, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        self.assertAllClose(state(other), state(model), atol=1e-6)

    def test_fewer_steps_than_the_data_have(self):
        data, model = make_data(), make_model()
        model.fit(data, epochs=2, steps_per_epoch=1, verbose=0)
        self.assertEqual(int(model.optimizer.iterations), 2)
