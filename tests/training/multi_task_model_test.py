import pathlib

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.aggregation import SumOfGradients
from jtr_keras.balancing import FixedWeights, UncertaintyWeights
from jtr_keras.interaction import SharedFeatures
from jtr_keras.regularization import ViewConsistency
from tests import toy
from tests.aggregation.examples import MeanOfDirections
from tests.conformance import tiny
from tests.interaction.examples import GuidedExchange
from tests.testing import TestCase

NOTHING = ((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))


def compiled(regularization=None, optimizer="sgd", parts=None, **options):
    """A model that is run eagerly: few steps take less time than a trace."""
    model = toy.make_model(regularization, **(parts or {}))
    usual = {"jit_compile": False, "run_eagerly": True}
    model.compile(optimizer, **(usual | options))
    return model


def weights(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


class ConstructorTest(TestCase):
    @parameterized.parameters(
        ("regularization", "joint_task", "a regularization, such as"),
        ("regularization", ViewConsistency, "a regularization, such as"),
        ("balancing", "uncertainty", "a balancing, such as"),
        ("balancing", FixedWeights, "a balancing, such as"),
        ("aggregation", "sum", "an aggregation, such as"),
        ("interaction", "shared_features", "an interaction, such as"),
        ("supervised_views", 0, "a whole number from 1 on"),
        ("supervised_views", 1.5, "a whole number from 1 on"),
        ("image_size", 32, "a pair of whole numbers"),
        ("image_size", (32, 0), "a pair of whole numbers"),
        ("image_size", "32", "a pair of whole numbers"),
    )
    def test_arguments_of_another_kind(self, name, value, expected):
        with self.assertRaisesRegex(
            ValueError, f"`{name}` must be {expected}.*; got "
        ):
            toy.make_model(**{name: value})

    @parameterized.named_parameters(
        ("regularization", "regularization", ViewConsistency),
        ("balancing", "balancing", FixedWeights),
        ("aggregation", "aggregation", SumOfGradients),
        ("interaction", "interaction", SharedFeatures),
    )
    def test_parts_that_belong_to_another_model(self, name, cls):
        part = cls()
        tiny.make_model(1, **{name: part})
        with self.assertRaisesRegex(
            ValueError, f"belongs to a model already.*new `{cls.__name__}`"
        ):
            tiny.make_model(1, **{name: part})

    def test_prints_what_it_consists_of(self):
        model = toy.make_model(ViewConsistency(), balancing=FixedWeights())
        for part in ("UNet", "Depth(mean=2.0, stddev=1.0)", "=FixedWeights"):
            self.assertIn(part, repr(model))


class CompileTest(TestCase):
    @parameterized.parameters(
        "loss", "loss_weights", "metrics", "weighted_metrics"
    )
    def test_losses_and_metrics_are_the_tasks_own(self, name):
        model = tiny.make_model(1)
        for given in ("mse", {"depth": 2.0}, []):
            with self.assertRaisesRegex(
                ValueError, f"tasks.*FixedWeights.*got `{name}`"
            ):
                model.compile(**{name: given})


class FitTest(TestCase):
    def test_logs(self):
        batch = toy.make_batch()
        data = toy.make_dataset(batch)
        model = compiled(toy.make_regularization())
        logs = model.fit(data, validation_data=data, verbose=0).history
        losses = {f"{task.name}_loss" for task in model.tasks}
        terms = {"distance", "joint_distance", "reconstruction"}
        train = {name for name in logs if not name.startswith("val_")}
        self.assertEqual(train, losses | terms | {"loss"})
        self.assertLessEqual(
            {f"val_{name}" for name in losses | {"loss", "delta_mtl"}},
            set(logs),
        )
        self.assertFalse({f"val_{name}" for name in terms} & set(logs))
        expected = sum(logs[name][0] for name in losses)
        expected += 4 * logs["distance"][0] + 8 * logs["joint_distance"][0]
        expected += 2 * logs["reconstruction"][0]
        self.assertAllClose(logs["loss"][0], expected, rtol=1e-5)

    def test_any_dtypes(self):
        images, y, labelled = toy.make_batch(geometry=False)
        exact = compiled(toy.make_regularization())
        exact.fit(toy.make_dataset((images, y, labelled)), verbose=0)
        y = {name: tf.cast(value, "float64") for name, value in y.items()}
        labelled = {n: tf.cast(w, "int64") for n, w in labelled.items()}
        data = toy.make_dataset((tf.cast(images, "float64"), y, labelled))
        model = compiled(toy.make_regularization())
        model.fit(data, validation_data=data, verbose=0)
        self.assertAllEqual(weights(model), weights(exact))

    def test_learns(self):
        data = toy.make_dataset(toy.make_batch(), repeats=20)
        model = tiny.make_model(2, regularization=ViewConsistency())
        model.compile(keras.optimizers.Adam(0.03), jit_compile=False)
        logs = model.fit(data, epochs=6, verbose=0).history
        self.assertLess(logs["loss"][-1], 0.95 * logs["loss"][0])

    def test_xla_takes_the_same_step(self):
        found = []
        for jit_compile in (True, False):
            model = tiny.make_model(
                2,
                regularization=ViewConsistency(),
                interaction=GuidedExchange(),
                balancing=UncertaintyWeights(),
                aggregation=MeanOfDirections(),
            )
            model.compile(
                "sgd", jit_compile=jit_compile, run_eagerly=not jit_compile
            )
            logs = model.fit(toy.make_dataset(toy.make_batch()), verbose=0)
            found.append((weights(model), logs.history))
        (compiled, logs), (expected, expected_logs) = found
        self.assertAllClose(compiled, expected, atol=1e-5)
        self.assertAllClose(logs["loss"], expected_logs["loss"])

    def test_balancing_weighs_training_losses_alone(self):
        data = toy.make_dataset(toy.make_batch())
        model = compiled(
            ViewConsistency(),
            parts={"balancing": FixedWeights({"depth": 3.0, "edges": 0.0})},
        )
        logs = model.fit(data, validation_data=data, verbose=0).history
        logs = {name: value[0] for name, value in logs.items()}
        expected = 3 * logs["depth_loss"]
        expected += logs["segmentation_loss"] + logs["normals_loss"]
        for name, weight in model.regularization.loss_weights.items():
            expected += weight * logs[name]
        self.assertAllClose(logs["loss"], expected, rtol=1e-5)
        self.assertEqual(logs["depth_weight"], 3.0)
        expected = sum(logs[f"val_{task.name}_loss"] for task in model.tasks)
        self.assertAllClose(logs["val_loss"], expected, rtol=1e-5)
        self.assertNotIn("val_depth_weight", logs)

    @parameterized.named_parameters(
        ("no label of one task", ((1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))),
        ("an image without label", ((1, 0, 0, 0), (0, 0, 0, 0), (0, 1, 1, 1))),
        ("no label at all", NOTHING),
    )
    def test_absent_labels(self, labelled):
        model = compiled(toy.make_regularization())
        data = toy.make_dataset(toy.make_batch(labelled))
        logs = model.fit(data, verbose=0).history
        for column, task in enumerate(model.tasks):
            absent = not np.any(np.asarray(labelled)[:, column])
            loss = logs[f"{task.name}_loss"][0]
            self.assertEqual(absent, loss == 0.0)

    def test_only_label_is_all_void(self):
        images, y, labelled = toy.make_batch(((0, 1, 0, 0),) * 2)
        y["depth"] = y["depth"] * np.array([0.0, np.nan]).reshape(2, 1, 1, 1, 1)
        model = compiled(toy.make_regularization())
        data = toy.make_dataset((images, y, labelled))
        logs = model.fit(data, verbose=0).history
        self.assertEqual(logs["depth_loss"][0], 0.0)
        self.assertTrue(np.isfinite(logs["loss"][0]))
        self.assertTrue(np.isfinite(weights(model)).all())

    def test_hidden_labels_have_no_influence(self):
        found = []
        for value in (1.0, np.nan):
            images, y, labelled = toy.make_batch()
            hidden = (1 - labelled["depth"]).numpy() > 0
            y["depth"] = tf.where(
                hidden.reshape(3, 1, 1, 1, 1), np.float32(value), y["depth"]
            )
            model = compiled(toy.make_regularization())
            model.fit(toy.make_dataset((images, y, labelled)), verbose=0)
            found.append(weights(model))
        self.assertAllEqual(found[0], found[1])

    def test_penalties_of_the_network_count(self):
        found = []
        for penalty in (None, keras.regularizers.L2(0.5)):
            model = compiled(toy.make_regularization(), "sgd")
            kernel = next(v for v in model.weights if v.name == "kernel")
            before = kernel.numpy()
            kernel.regularizer = penalty
            logs = model.train_step(
                next(iter(toy.make_dataset(toy.make_batch())))
            )
            found.append((logs["loss"], kernel.numpy()))
        (loss, plain), (higher, pulled) = found
        self.assertAllClose(higher - loss, 0.5 * np.square(before).sum())
        self.assertAllClose(pulled - plain, -0.01 * before, atol=1e-6)

    def test_a_short_last_batch_counts_by_its_images(self):
        model = compiled(None, keras.optimizers.SGD(0.0))
        data = toy.make_batch(np.ones((3, 4)), views=1)
        data = tf.data.Dataset.from_tensor_slices(data)
        parts = data.batch(2), data.take(2).batch(2), data.skip(2).batch(1)
        for losses in (
            [model.evaluate(part, verbose=0)[0] for part in parts],
            [model.fit(part, verbose=0).history["loss"][0] for part in parts],
        ):
            whole, first, last = losses
            self.assertAllClose(whole, (2 * first + last) / 3, rtol=1e-5)

    def test_metrics_of_single_batches_are_reset(self):
        model = compiled(None)
        x, y, labelled = toy.make_batch(np.ones((3, 4)), views=1)
        found = []
        for factor in (1.0, 9.0, 1.0):
            depth = {"depth": factor * y["depth"]}
            model.reset_metrics()
            logs = model.test_on_batch(x, y | depth, labelled, return_dict=True)
            found.append((logs["loss"], logs["depth_abs_err"]))
        self.assertAllClose(found[0], found[2])
        self.assertNotAllClose(found[0], found[1])

    @parameterized.parameters("mixed_float16", "mixed_bfloat16")
    def test_mixed_precision(self, policy):
        keras.config.set_dtype_policy(policy)
        try:
            data = toy.make_dataset(toy.make_batch())
            model = compiled(toy.make_regularization())
            logs = model.fit(data, verbose=0).history
            predictions = model.predict(np.zeros((1, 16, 16, 3)), verbose=0)
        finally:
            keras.config.set_dtype_policy("float32")
        self.assertTrue(np.isfinite(logs["loss"]).all())
        self.assertEqual(
            {str(value.dtype) for value in predictions.values()}, {"float32"}
        )
        scaled = isinstance(
            model.optimizer, keras.optimizers.LossScaleOptimizer
        )
        self.assertEqual(scaled, policy == "mixed_float16")
        exact = compiled(toy.make_regularization())
        exact_logs = exact.fit(data, verbose=0).history
        self.assertAllClose(logs["loss"], exact_logs["loss"], rtol=0.05)

    def test_too_few_views(self):
        data = toy.make_dataset(toy.make_batch(views=2))
        with self.assertRaisesRegex(ValueError, "need 3 views.*have 2"):
            compiled(toy.make_regularization()).fit(data, verbose=0)

    def test_unknown_number_of_views(self):
        def forget(x, y, w):
            x = tf.py_function(lambda x: x, [x], x.dtype)
            x.set_shape((None, None, *toy.SIZE, 3))
            return x, y, w

        batch = toy.make_batch(geometry=False)
        data = toy.make_dataset(batch).map(forget)
        with self.assertRaisesRegex(ValueError, "known number of.*set_shape"):
            compiled(run_eagerly=False).fit(data, verbose=0)


class EvaluateTest(TestCase):
    def test_results_are_those_of_the_last_call(self):
        batch = toy.make_batch()
        data = toy.make_dataset(batch)
        model = compiled()
        first = model.evaluate(data, return_dict=True, verbose=0)
        model.fit(data, validation_data=data, verbose=0)
        again = model.evaluate(data, return_dict=True, verbose=0)
        self.assertEqual(set(first), set(again))
        self.assertNotEqual(first["loss"], again["loss"])
        expected = sum(again[f"{task.name}_loss"] for task in model.tasks)
        self.assertAllClose(again["loss"], expected, rtol=1e-5)

    def test_early_stopping_and_checkpoints_can_watch_delta(self):
        data = toy.make_dataset(toy.make_batch())
        path = pathlib.Path(self.get_temp_dir()) / "best.keras"
        watched = {"monitor": "val_delta_mtl", "mode": "max"}
        stop = keras.callbacks.EarlyStopping(min_delta=1e9, **watched)
        best = keras.callbacks.ModelCheckpoint(
            path, save_best_only=True, **watched
        )
        model = compiled()
        logs = model.fit(
            data,
            validation_data=data,
            epochs=3,
            callbacks=[stop, best],
            verbose=0,
        ).history
        self.assertLen(logs["loss"], 2)
        self.assertTrue(path.exists())


class SavingTest(TestCase):
    def test_round_trip_goes_on_as_if_nothing_happened(self):
        data = toy.make_dataset(toy.make_batch())
        model = compiled(toy.make_regularization(), "adam")
        model.fit(data, verbose=0)
        path = pathlib.Path(self.get_temp_dir()) / "model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        self.assertAllEqual(weights(copy), weights(model))
        self.assertEqual(
            copy.regularization.get_config(), model.regularization.get_config()
        )
        for trained in (model, copy):
            trained.fit(data, verbose=0)
        self.assertAllClose(weights(copy), weights(model), atol=1e-6)

    def test_compilation_is_saved(self):
        model = compiled(baselines={"depth": 2.0})
        path = pathlib.Path(self.get_temp_dir()) / "model.keras"
        model.save(path)
        copy = keras.saving.load_model(path)
        self.assertEqual(copy.scoring.delta.baselines["depth"], 2.0)
        self.assertFalse(copy.jit_compile)

    def test_export_holds_the_predictor_alone(self):
        model = compiled(toy.make_regularization())
        path = pathlib.Path(self.get_temp_dir()) / "1"
        model.export(path, verbose=False)
        loaded = tf.saved_model.load(str(path))
        serve = loaded.signatures["serving_default"]
        for size in ((16, 16), (9, 21)):
            images = np.random.default_rng(0).uniform(size=(2, *size, 3))
            images = images.astype("float32")
            found = serve(images=tf.constant(images))
            expected = model(images, training=False)
            self.assertEqual(set(found), {task.name for task in model.tasks})
            for name, value in expected.items():
                self.assertAllClose(found[name], value, atol=1e-5)
        exported = tf.train.list_variables(str(path / "variables/variables"))
        weights = [n for n, _ in exported if n.endswith("VARIABLE_VALUE")]
        # Every weight of the predictor, once.
        self.assertLen(weights, len(model.predictor.variables))


class PredictTest(TestCase):
    def test_shapes(self):
        images = np.random.default_rng(0).uniform(size=(5, 13, 10, 3))
        found = compiled().predict(images, verbose=0)
        channels = {name: value.shape for name, value in found.items()}
        self.assertEqual(channels["segmentation"], (5, 13, 10, 3))
        self.assertEqual(channels["depth"], (5, 13, 10, 1))
        self.assertAllClose(
            np.linalg.norm(found["normals"], axis=-1), np.ones((5, 13, 10))
        )

    def test_no_optimizer_is_needed(self):
        model = toy.make_model()
        self.assertEqual(model.metrics, [])
        self.assertLen(model.predict(np.zeros((1, 8, 8, 3)), verbose=0), 4)
