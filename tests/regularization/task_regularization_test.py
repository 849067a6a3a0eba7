import keras

from jtr_keras.regularization import Composition
from jtr_keras.regularization.task_regularization import TaskRegularization
from tests import toy
from tests.testing import TestCase


class Custom(TaskRegularization):
    """What a user writes, and may write wrongly."""

    returned = "agreement"

    def __init__(self, **attributes):
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)

    def build_for_tasks(self):
        self.pool = keras.layers.MaxPooling2D()  # Has no weights to build.

    def call(self, y_true, y_pred, labelled, **inputs):
        return {self.returned: keras.ops.mean(y_pred["depth"])}


class Precise(Custom):
    required_inputs = ("geometry",)

    def call(self, y_true, y_pred, labelled, **inputs):
        floats = (y_true["depth"], y_pred["depth"], *inputs.values())
        self.seen = {keras.backend.standardize_dtype(a.dtype) for a in floats}
        return super().call(y_true, y_pred, labelled)


class Unbuilt(Custom):
    def build_for_tasks(self):
        self.dense = keras.layers.Dense(2, name="mapping")


class TaskRegularizationTest(TestCase):
    def test_loss_weights_must_be_there(self):
        message = "`Custom.loss_weights` must be a dict.*got None"
        with self.assertRaisesRegex(ValueError, message):
            toy.make_model(Custom())
        with self.assertRaisesRegex(ValueError, message):
            Composition([Custom()])

    def test_losses_are_precise(self):
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        keras.config.set_dtype_policy("mixed_bfloat16")
        custom = Precise(loss_weights={"agreement": 1.0})
        model = toy.make_model(custom)
        model.compile("sgd", jit_compile=False)
        model.train_on_batch(*toy.make_batch())
        self.assertEqual(custom.seen, {"float32"})

    def test_required_inputs_must_be_known(self):
        for names in (("features", "depth"), "teacher"):
            custom = Custom(
                loss_weights={"agreement": 1.0}, required_inputs=names
            )
            with self.assertRaisesRegex(
                ValueError,
                f"`Custom.required_inputs` must be.*'geometry'.*{names[-1]}",
            ):
                toy.make_model(custom)

    def test_terms_must_be_those_with_a_weight(self):
        for weights in ({"other": 1.0}, {"agreement": 1.0, "other": 1.0}):
            model = toy.make_model(Custom(loss_weights=weights))
            model.compile("sgd", jit_compile=False)
            with self.assertRaisesRegex(
                ValueError,
                r"`Custom.call` must return.*'other'\]; got \['agree",
            ):
                model.train_on_batch(*toy.make_batch())

    def test_layers_must_be_built(self):
        weights = {"agreement": 1.0}
        with self.assertRaisesRegex(
            ValueError, r"`Unbuilt.build_for_tasks` must build.*\['mapping'\]"
        ):
            toy.make_model(Unbuilt(loss_weights=weights))
        toy.make_model(Custom(loss_weights=weights))
