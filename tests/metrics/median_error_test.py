import numpy as np
from absl.testing import parameterized

from jtr_keras.metrics import MedianError
from tests.metrics.numpy_errors import batches, numpy_error
from tests.testing import TestCase


class MedianErrorTest(TestCase):
    @parameterized.parameters(
        ([1.0, 2.0, 9.0], 2.5),  # Half of the bin from 2 to 3.
        ([4.0, 4.0, 4.0, 4.0], 4.5),
        ([1.0, 1.0, 1.0, 9.0], 1.0 + 2.0 / 3.0),
        ([1.0, 5.0], 3.5),  # The mean of both in the middle: 2 and 5.
        ([0.0, 11.0, 1e9], 9.25),  # The last bin takes all that is larger.
    )
    def test_values(self, errors, expected):
        metric = MedianError("absolute", maximum=10.0, num_bins=10)
        metric.update_state(*data(errors))
        self.assertAllClose(metric.result(), expected)

    def test_equals_numpy_within_a_bin_over_several_batches(self):
        metric = MedianError("angle")
        angles = []
        for y_true, y_pred, mask in batches(vectors=True):
            metric.update_state(y_true, y_pred, sample_weight=mask)
            kept = mask > 0
            angles.append(numpy_error("angle", y_true[kept], y_pred[kept]))
        self.assertAllClose(
            metric.result(), np.median(np.concatenate(angles)), atol=0.05
        )

    def test_masked_pixels_have_no_influence(self):
        metric = MedianError("absolute", maximum=10.0, num_bins=10)
        y_true, y_pred = data([2.0, 9.0, 9.0, np.nan, np.inf])
        metric.update_state(
            y_true, y_pred, sample_weight=np.array([[[1, 0, 0, 0, 0]]])
        )
        self.assertAllClose(metric.result(), 2.5)

    def test_nothing_annotated_is_0(self):
        metric = MedianError("absolute")
        metric.update_state(*data([3.0]), sample_weight=np.zeros((1, 1, 1)))
        self.assertEqual(float(metric.result()), 0.0)

    def test_config(self):
        arguments = {
            "error": "angle",
            "maximum": 90.0,
            "num_bins": 45,
            "name": "half",
            "dtype": "float64",
        }
        metric = MedianError(**arguments)
        self.run_class_serialization_test(metric)
        config = metric.get_config()
        self.assertEqual(config | arguments, config)

    def test_unknown_error(self):
        with self.assertRaisesRegex(ValueError, "`error` must be one of"):
            MedianError("squared")


def data(errors):
    """Targets and predictions of one image with these absolute errors."""
    errors = np.array(errors, "float32").reshape(1, 1, -1, 1)
    return errors, np.zeros_like(errors)
