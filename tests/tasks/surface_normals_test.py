import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from jtr_keras.tasks import SurfaceNormals
from jtr_keras.visualization import paint
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

    def test_flip_turns_the_sign_of_x(self):
        normals = column([0.6, 0.8, 0.0], [0.0, 0.6, -0.8])
        expected = column([-0.6, 0.8, 0.0], [0.0, 0.6, -0.8])
        self.assertAllClose(SurfaceNormals().flip(normals), expected)

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

    def test_colours(self):
        values = np.array([[[0, 0, 0], [np.nan, 0, 1], [1, -1, 0.0]]])
        picture = paint(SurfaceNormals(), values)
        self.assertAllEqual(picture, [[[0, 0, 0], [0, 0, 0], [255, 0, 127]]])

    def test_check_counts_the_wrong_pixels(self):
        normals = np.array([[0, 0, 0], [0, 0.6, 0.8], [0, 0, 0.95]])
        wrong = np.array([[0, 0, 0.5], [0, 1.2, 0], [np.nan, 0, 1.0]])
        self.assertIsNone(SurfaceNormals().check(normals))
        message = SurfaceNormals().check(np.concatenate([normals, wrong]))
        self.assertIn("found 3 pixels", message)


def column(*normals):
    """One image with these pixels below one another."""
    return tf.constant(np.array(normals), "float32", (1, len(normals), 1, 3))
