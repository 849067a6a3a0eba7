import tensorflow as tf

from jtr_keras.ops import UNMOVED
from jtr_keras.regularization import ViewConsistency
from jtr_keras.tasks import Depth, SurfaceNormals
from tests.testing import TestCase

DEPTH = Depth(mean=2.0, stddev=1.0)
MIRRORED = (1.0, 1.0, 0.0, 0.0)


def batch(first, second, geometry):
    predictions = tf.stack([first, second], axis=1)
    return {"depth": predictions}, tf.constant([[UNMOVED, geometry]])


class ViewConsistencyTest(TestCase):
    def loss(self, y_pred, geometry, labelled=0.0, **options):
        layer = ViewConsistency(**options)
        layer.bind([DEPTH])
        weights = {"depth": tf.constant([labelled])}
        losses = layer({}, y_pred, weights, geometry=geometry)
        return losses["view_consistency"]

    def test_same_scene_has_no_loss(self):
        first = tf.random.stateless_uniform((1, 4, 6, 1), (0, 1)) + 1.0
        for geometry, second in (
            (UNMOVED, first),
            (MIRRORED, first[:, :, ::-1]),
        ):
            self.assertAllClose(self.loss(*batch(first, second, geometry)), 0.0)
        self.assertGreater(self.loss(*batch(first, first, MIRRORED)), 0.01)

    def test_value_by_hand(self):
        # Codes are Phi(0) and Phi(1).
        y_pred, geometry = batch(
            tf.fill((1, 4, 4, 1), 2.0), tf.fill((1, 4, 4, 1), 3.0), UNMOVED
        )
        self.assertAllClose(self.loss(y_pred, geometry), (0.841345 - 0.5) ** 2)

    def test_channels_are_summed(self):
        one, two = tf.constant([1.0, 0.0, 0.0]), tf.constant([0.0, 0.6, -0.8])
        y_pred = {"normals": tf.tile([[[[one]], [[two]]]], (1, 1, 4, 4, 1))}
        layer = ViewConsistency()
        layer.bind([SurfaceNormals()])
        losses = layer(
            {},
            y_pred,
            {"normals": tf.zeros(1)},
            geometry=tf.constant([[UNMOVED, UNMOVED]]),
        )
        # Codes are halves of the vectors, whose squared distance is 2.
        self.assertAllClose(losses["view_consistency"], 2.0 / 4)

    def test_labelled_tasks_have_no_part(self):
        y_pred, geometry = batch(
            tf.fill((1, 4, 4, 1), 2.0), tf.fill((1, 4, 4, 1), 3.0), UNMOVED
        )
        self.assertEqual(self.loss(y_pred, geometry, labelled=1.0), 0.0)

    def test_gradient_reaches_the_first_view_if_asked_to(self):
        y_pred, geometry = batch(
            tf.fill((1, 4, 4, 1), 2.0), tf.fill((1, 4, 4, 1), 3.0), UNMOVED
        )
        for detach in (True, False):
            with tf.GradientTape() as tape:
                tape.watch(y_pred)
                loss = self.loss(y_pred, geometry, detach=detach)
            gradient = tape.gradient(loss, y_pred)["depth"]
            self.assertEqual(
                bool(tf.reduce_any(gradient[:, 0] != 0)), not detach
            )
            self.assertTrue(bool(tf.reduce_all(gradient[:, 1] > 0)))
