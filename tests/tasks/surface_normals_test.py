import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.tasks import SurfaceNormals
from tests.testing import TestCase


class SurfaceNormalsTest(TestCase):
    def test_loss_is_one_minus_the_cosine(self):
        targets = column([0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0])
        predictions = column([0, 0, 1], [0, 0.6, 0.8], [0, 0, -1], [1, 0, 0])
        loss = SurfaceNormals().loss(targets, predictions)
        self.assertAllClose(loss, [(0.0 + 0.2 + 2.0) / 3.0])

    @parameterized.parameters(
        ([0.0, 0.0, 0.0], 0.0),
        ([0.6, -0.8, 0.0], 1.0),
        # The sum of the components is 0: the reference drops such a normal.
        ([np.sqrt(0.5), -np.sqrt(0.5), 0.0], 1.0),
        ([np.nan, 0.0, 1.0], 0.0),
        ([np.inf, 0.0, 1.0], 0.0),
    )
    def test_valid_mask(self, normal, valid):
        mask = SurfaceNormals().valid_mask(column(normal))
        self.assertAllEqual(mask, [[[[valid]]]])

    def test_activation_gives_unit_vectors(self):
        activated = SurfaceNormals().activate(column([0, 3, -4], [0, 0, 0]))
        self.assertAllClose(activated, column([0, 0.6, -0.8], [0, 0, 0]))

    def test_codes(self):
        task = SurfaceNormals()
        normals = column([-1, 0, 0], [0, 0.6, 0.8], [0, 0, 0])
        expected = column([0, 0.5, 0.5], [0.5, 0.8, 0.9], [0.5, 0.5, 0.5])
        self.assertAllClose(task.encode_targets(normals), expected)
        self.assertAllClose(task.encode_predictions(normals), expected)

    def test_evidence_turns_normals_and_keeps_their_length(self):
        task = SurfaceNormals()
        code = task.encode(column([0, 0, 1], [0, 0, 0.5], [0, 0, 0]))
        moved = task.with_evidence(
            code, column([0, 0.5, 0], [0.4, 0, 0], [1, 0, 0])
        )
        expected = column([0, 0.70711, 0.70711], [0.424, 0, 0.265], [0, 0, 0])
        self.assertAllClose(moved, task.encode(expected), atol=1e-3)

    def test_code_error_is_one_minus_the_cosine(self):
        task = SurfaceNormals()
        up, across = (
            column([0, 1, 0], [0, 1, 0]),
            column([0, 0.6, 0.8], [1, 0, 0]),
        )
        error = task.code_error(task.encode(up), task.encode(across))
        self.assertAllClose(error[0, :, 0, 0], [0.4, 1.0])
        soft = task.soft_error(task.encode(up), across)
        self.assertAllClose(soft, error)

    def test_reconstruction_error_ignores_the_length_of_outputs(self):
        task = SurfaceNormals()
        code = task.encode(column([0, 0, 1], [0, 0, 1], [0, 0, 1]))
        decoded = column([0, 0, 9], [0, 6, 8], [0, 0, -0.5])
        self.assertAllClose(
            task.reconstruction_error(code, decoded)[0, :, 0, 0],
            [0.0, 0.2, 2.0],
        )

    def test_flip_turns_the_sign_of_x(self):
        normals = column([0.6, 0.8, 0.0], [0.0, 0.6, -0.8])
        expected = column([-0.6, 0.8, 0.0], [0.0, 0.6, -0.8])
        self.assertAllClose(SurfaceNormals().flip(normals), expected)

    def test_renormalize_repairs_lengths(self):
        # Interpolation shortens normals; missing ones stay missing.
        normals = column([0.0, 0.3, 0.4], [0.0, 0.0, 0.0])
        expected = column([0.0, 0.6, 0.8], [0.0, 0.0, 0.0])
        self.assertAllClose(SurfaceNormals().renormalize(normals), expected)

    def test_metrics_by_hand(self):
        degrees = np.array([0.0, 11.0, 20.0, 29.0, 90.0])
        radians = np.deg2rad(degrees)
        targets = column(*[[0, 0, 1]] * 5)
        predictions = column(
            *np.stack([np.sin(radians), 0 * radians, np.cos(radians)], axis=-1)
        )
        expected = {
            "mean": 30.0,
            "median": 20.0,
            "rmse": np.sqrt(np.mean(degrees**2)),
            "within_11.25": 0.4,
            "within_22.5": 0.6,
            "within_30": 0.8,
        }
        for metric in SurfaceNormals().metrics():
            metric.update_state(targets, predictions)
            self.assertAllClose(
                metric.result(), expected.pop(metric.name), atol=0.05
            )
        self.assertEmpty(expected)

    def test_draw(self):
        values = np.array([[[0, 0, 0], [np.nan, 0, 1], [1, -1, 0.0]]])
        picture = SurfaceNormals().draw(values, predicted=False)
        self.assertAllEqual(picture, [[[0, 0, 0], [0, 0, 0], [255, 0, 127]]])

    def test_small_answers(self):
        codes = SurfaceNormals().compact(column([0.0, -1.0, 1.0]))
        self.assertEqual(codes.dtype, "uint8")
        self.assertAllEqual(np.ravel(codes), [128, 0, 255])
        expanded = SurfaceNormals().expand(np.array([128, 0, 255]))
        self.assertAllClose(expanded, [0.5 / 127.5, -1.0, 1.0])

    def test_check_counts_the_wrong_pixels(self):
        normals = np.array([[0, 0, 0], [0, 0.6, 0.8], [0, 0, 0.95]])
        wrong = np.array([[0, 0, 0.5], [0, 1.2, 0], [np.nan, 0, 1.0]])
        self.assertIsNone(SurfaceNormals().check(normals))
        message = SurfaceNormals().check(np.concatenate([normals, wrong]))
        self.assertIn("found 3 pixels", message)


def column(*normals):
    """One image with these pixels below one another."""
    return tf.constant(np.array(normals), "float32", (1, len(normals), 1, 3))
