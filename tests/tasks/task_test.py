import inspect

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.tasks import (
    Depth,
    NormalQuantile,
    SemanticSegmentation,
    SurfaceNormals,
    Task,
    UnitInterval,
    UnitVector,
)
from jtr_keras.visualization import paint
from tests.testing import TestCase


@keras.saving.register_keras_serializable(package="tests")
class Plain(Task):
    """All that a user has to write; the codec is an argument."""

    def error(self, targets, predictions):
        error = keras.ops.square(targets - predictions)
        return keras.ops.mean(error, axis=-1, keepdims=True)


class TaskTest(TestCase):
    def test_it_stays_slim(self):
        methods = [
            name
            for name, value in vars(Task).items()
            if inspect.isfunction(value)
            and (name == "__init__" or not name.startswith("_"))
        ]
        self.assertIn("error", methods)
        self.assertLessEqual(len(methods), 14)
        self.assertEqual(Task.__abstractmethods__, {"error"})

    @parameterized.parameters(
        (UnitInterval(-1.0, 3.0, 2, from_logits=True),),
        (NormalQuantile(2.0, 0.5),),
    )
    def test_one_without_a_constructor_is_saved_with_its_codec(self, codec):
        task = Plain("heights", codec)
        copy = self.run_class_serialization_test(task)
        self.assertIsInstance(copy, Plain)
        self.assertEqual(copy.name, "heights")
        self.assertEqual(repr(copy.codec), repr(codec))
        self.assertEqual(copy.channels, codec.channels)

    def test_the_least_task_is_complete(self):
        task = Plain("heights", UnitInterval(0.0, 4.0))
        targets = tf.constant([1.0, np.nan, 3.0, np.inf], shape=(1, 4, 1, 1))
        predictions = tf.constant([2.0, 9.0, 3.0, 9.0], shape=(1, 4, 1, 1))
        self.assertAllClose(task.loss(targets, predictions), [0.5])
        self.assertAllEqual(np.ravel(task.zero_void(targets)), [1, 0, 3, 0])
        self.assertEqual([m.name for m in task.metrics()], ["abs_err", "rmse"])
        self.assertEqual(
            task.describe(),
            {"prediction": "value", "unit": None, "range": [0.0, 4.0]},
        )
        self.assertEqual(paint(task, targets[0]).shape, (4, 1, 3))
        self.assertIsNone(task.check(targets.numpy()))
        self.assertRegex(
            task.check(2.0 * targets.numpy()),
            r"in \[0.0, 4.0\], or be NaN where missing; found 2 to 6",
        )

    def test_check_asks_for_nothing_where_values_have_no_bounds(self):
        task = Plain("heights", NormalQuantile(2.0, 1.0))
        self.assertIsNone(task.check(np.array([-1e9, np.nan, 1e9])))

    def test_arguments_are_checked(self):
        with self.assertRaisesRegex(ValueError, "`name` must be.*'a/b'"):
            Plain("a/b", UnitVector())
        with self.assertRaisesRegex(ValueError, "`codec` must be.*'unit'"):
            Plain("a", "unit")
        with self.assertRaisesRegex(ValueError, "`codec` must be.*UnitVector"):
            Plain("a", UnitVector)


class PrintTest(TestCase):
    @parameterized.parameters(
        (Depth(2.0, 1.0), "Depth(mean=2.0, stddev=1.0)"),
        (
            Depth(2.0, 1.0, inverse=True, name="disparity"),
            "Depth(mean=2.0, stddev=1.0, inverse=True, name='disparity')",
        ),
        (SurfaceNormals(), "SurfaceNormals()"),
        (
            SemanticSegmentation(2, class_names=["wall", "floor"]),
            "SemanticSegmentation(num_classes=2, "
            "class_names=['wall', 'floor'])",
        ),
        (UnitInterval(maximum=4.0), "UnitInterval(maximum=4.0)"),
        (
            Plain("heights", UnitInterval(channels=2)),
            "Plain(name='heights', codec=UnitInterval(channels=2))",
        ),
    )
    def test_print_is_the_call(self, made, expected):
        self.assertEqual(repr(made), expected)
