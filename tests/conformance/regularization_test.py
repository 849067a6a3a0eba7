"""Laws that every regularization obeys; a new one adds a line."""

import inspect

import hypothesis
import hypothesis.extra.numpy
import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras import regularization as room
from tests import toy
from tests.testing import TestCase

REGULARIZATIONS = (
    (
        "corrected",
        room.JointTaskRegularization,
        {"widths": (4, 4), "num_convs": (1, 1), "seed": 1},
    ),
    (
        "reference",
        room.JointTaskRegularization,
        {
            "widths": (4, 4),
            "num_convs": (1, 1),
            "seed": 1,
            "semantics": "reference",
        },
    ),
    (
        "pseudo_labels",
        room.PseudoLabels,
        {"weight": 2.0, "threshold": 0.5, "tolerance": 0.2, "warm_up": 3},
    ),
    (
        "task_prototypes",
        room.TaskPrototypes,
        {
            "contrast_weight": 0.5,
            "consistency_weight": 0.3,
            "dim": 4,
            "num_bins": 5,
            "stride": 4,
            "temperature": 0.2,
            "momentum": 0.8,
        },
    ),
    (
        "cross_task",
        room.CrossTaskConsistency,
        {
            "weight": 3.0,
            "feature_weight": 0.25,
            "widths": (4, 6),
            "num_convs": (2, 1),
            "film_learning_rate": 10.0,
            "seed": 1,
        },
    ),
    (
        "cross_task_of_few_pairs",
        room.CrossTaskConsistency,
        {"widths": (4, 4), "num_convs": (1, 1), "max_pairs": 2, "seed": 1},
    ),
    ("view_consistency", room.ViewConsistency, {"detach": False}),
)


def bound(cls, options):
    keras.utils.set_random_seed(0)
    layer = cls(**options)
    layer.bind(toy.make_tasks(), toy.FEATURES)
    return layer


@parameterized.named_parameters(*REGULARIZATIONS)
class RegularizationConformanceTest(TestCase):
    def test_terms_are_those_that_have_a_weight(self, cls, options):
        layer = bound(cls, options)
        _, y_true, labelled = toy.make_batch()
        extras = toy.make_extras(layer)
        losses = layer(y_true, toy.make_predictions(), labelled, **extras)
        self.assertEqual(set(losses), set(layer.loss_weights))
        for loss in losses.values():
            self.assertEqual(loss.shape, ())
            self.assertEqual(loss.dtype, tf.float32)

    def test_config_tells_the_truth(self, cls, options):
        layer = bound(cls, options)
        config = layer.get_config()
        for name in inspect.signature(cls).parameters:
            if name != "kwargs":
                self.assertIn(name, config)
        copy = cls.from_config(config)
        self.assertEqual(copy.get_config(), config)
        for name, value in options.items():
            self.assertEqual(config[name], value)

    def test_trains_under_xla_and_saves_its_weights(self, cls, options):
        data = toy.make_dataset(toy.make_batch(), repeats=2)
        model = toy.make_model(cls(**options))
        model.compile("sgd", jit_compile=True)
        before = [w.numpy() for w in model.regularization.trainable_variables]
        logs = model.fit(data, verbose=0).history
        self.assertTrue(np.isfinite(logs["loss"]).all())
        after = [w.numpy() for w in model.regularization.trainable_variables]
        changed = [np.any(a != b) for a, b in zip(before, after, strict=True)]
        self.assertTrue(all(changed))
        path = f"{self.get_temp_dir()}/model.keras"
        model.save(path)
        copy = keras.saving.load_model(path).regularization
        for first, second in zip(after, copy.trainable_variables, strict=True):
            self.assertAllEqual(first, second)

    @hypothesis.settings(max_examples=20, deadline=None)
    @hypothesis.given(
        labels=hypothesis.extra.numpy.arrays(
            "float32",
            (2, 4),
            elements=hypothesis.strategies.sampled_from([0.0, 0.5, 1.0]),
        )
    )
    def test_any_labels_train(self, cls, options, labels):
        if not hasattr(type(self), "models"):
            type(self).models = {}
        key = str(options)
        if key not in self.models:
            self.models[key] = toy.make_model(cls(**options))
            self.models[key].compile("sgd", jit_compile=False)
        images, y_true, labelled = toy.make_batch(labels)
        logs = self.models[key].train_on_batch(
            images, y_true, labelled, return_dict=True
        )
        self.assertTrue(np.isfinite(list(logs.values())).all())


class CoverageTest(TestCase):
    def test_every_regularization_is_listed_and_registered(self):
        public = {
            value
            for value in vars(room).values()
            if inspect.isclass(value)
            and issubclass(value, room.TaskRegularization)
            and not inspect.isabstract(value)
        }
        public.remove(room.Composition)  # Has tests of its own.
        self.assertEqual(public, {cls for _, cls, _ in REGULARIZATIONS})
        self.assertEqual(public, set(room.REGULARIZATIONS.values()))
