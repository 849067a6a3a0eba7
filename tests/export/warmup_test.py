import pathlib
import sys
from unittest import mock

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from jtr_keras.export import warmup
from tests.export import example
from tests.testing import TestCase


class WarmupTest(TestCase):
    def test_warm_up_requests_run(self):
        saved = example.loaded()
        records = list(tf.data.TFRecordDataset(str(example.extra(warmup.FILE))))
        ran = []
        for record in records:
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            self.assertEqual(request.model_spec.name, "toy")
            ran.append(request.model_spec.signature_name)
            inputs = {
                name: tf.constant(tf.make_ndarray(proto))
                for name, proto in request.inputs.items()
            }
            outputs = saved.signatures[ran[-1]](**inputs)
            self.assertEqual(outputs["depth"].shape, (1, 24, 32, 1))
        self.assertEqual(set(ran) | {"serving_default"}, set(saved.signatures))

    def test_warm_up_without_the_extra(self):
        folder = pathlib.Path(self.get_temp_dir()) / "toy"
        absent = {"tensorflow_serving": None, "tensorflow_serving.apis": None}
        with (
            mock.patch.dict(sys.modules, absent),
            self.assertRaises(ImportError),
        ):
            example.model().export(folder, warmup=True)
        self.assertEmpty(list(folder.iterdir()))
        with mock.patch.object(warmup, "can_write_warmup", return_value=False):
            path = example.model().export(folder)
        self.assertFalse((path / "assets.extra" / warmup.FILE).exists())
        self.assertTrue((path / "assets.extra" / "metadata.json").exists())
