import itertools
from unittest import mock

import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.callbacks import StepTimer, step_timer
from tests.testing import TestCase


class StepTimerTest(TestCase):
    def test_median_by_hand(self):
        timer, logs = StepTimer(), {}
        times = [0.0, 9.0, 10.0, 12.0, 20.0, 21.0]
        with mock.patch.object(step_timer.time, "perf_counter") as clock:
            clock.side_effect = times
            timer.on_epoch_begin(0)
            for batch in range(3):
                timer.on_train_batch_begin(batch)
                timer.on_train_batch_end(batch)
            timer.on_epoch_end(0, logs)
        self.assertEqual(logs, {"seconds_per_step": 2.0})

    @parameterized.parameters(1, 4)
    def test_steps_executed_at_once(self, steps):
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile(loss="mse", steps_per_execution=steps)
        clock = mock.Mock(perf_counter=itertools.count().__next__)
        with mock.patch.object(step_timer, "time", clock):
            logs = model.fit(
                np.ones((8, 1)),
                np.ones(8),
                batch_size=1,
                verbose=0,
                callbacks=[StepTimer()],
            ).history
        # By this clock, each execution takes a second.
        self.assertEqual(logs["seconds_per_step"], [1.0 / steps])
