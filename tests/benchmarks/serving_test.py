import contextlib
import io
import json

from benchmarks import serving
from tests.testing import TestCase


class ServingTest(TestCase):
    def test_last_line_has_the_figures(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            serving.main(rounds=1, widths=(4, 8))
        result = json.loads(output.getvalue().splitlines()[-1])
        for name in ("keras", "saved_model", "onnx", "openvino"):
            for batch in (1, 8):
                found = result[f"{name}_batch_{batch}"]
                self.assertGreater(found["median_s"], 0.0)
                self.assertAllClose(
                    found["images_per_s"] * found["median_s"], batch, rtol=0.1
                )
        self.assertEqual(
            result["median_s"], result["saved_model_batch_1"]["median_s"]
        )
        self.assertGreater(result["peak_mib"], 100.0)
