import json

import keras
import numpy as np

import jtr_keras as jtr
from jtr_keras.export.metadata import as_json, load_tasks
from tests.export import example
from tests.testing import TestCase


class MetadataTest(TestCase):
    def test_metadata(self):
        metadata = json.loads(example.extra("metadata.json").read_text())
        tasks = {task["name"]: task for task in metadata["tasks"]}
        self.assertEqual(
            list(tasks), [task.name for task in example.model().tasks]
        )
        self.assertEqual(tasks["segmentation"]["classes"], ["0", "1", "2"])
        self.assertEqual(
            tasks["segmentation"]["colours"], jtr.ops.palette(3).tolist()
        )
        self.assertEqual(tasks["depth"]["unit"], "metre")
        self.assertEqual(
            tasks["depth"]["quantization"],
            {"dtype": "uint16", "scale": 0.001, "offset": 0.0},
        )
        self.assertEqual(tasks["depth"]["primary_metric"], "depth_abs_err")
        self.assertFalse(tasks["depth"]["higher_is_better"])
        self.assertEqual(tasks["normals"]["range"], [-1.0, 1.0])
        self.assertEqual(metadata["images"]["image_size"], [24, 32])
        self.assertEqual(metadata["metrics"], example.METRICS)
        training = metadata["training"]
        self.assertEqual(training["flags"], {"epochs": 1})
        self.assertEqual(training["optimizer"]["class_name"], "SGD")
        self.assertEqual(
            training["regularization"]["class_name"], "ViewConsistency"
        )
        self.assertEqual(metadata["versions"]["keras"], keras.__version__)
        network = metadata["network"]
        self.assertEqual(network["dtype_policy"], "float32")
        self.assertEqual(network["backbone"]["class_name"], "UNet")
        self.assertEqual(network["interaction"]["class_name"], "SharedFeatures")

    def test_the_tasks_come_back(self):
        loaded = load_tasks(example.folder())
        self.assertEqual(
            list(map(repr, loaded)), list(map(repr, example.model().tasks))
        )
        with self.assertRaisesRegex(ValueError, "no SavedModel in"):
            load_tasks(self.get_temp_dir())

    def test_json_of_numbers_that_are_not_python_s(self):
        text = as_json({"a": np.float32(0.5), "b": (1, np.int64(2))})
        self.assertEqual(json.loads(text), {"a": 0.5, "b": [1, 2]})

    def test_metadata_tells_the_signatures(self):
        metadata = json.loads(example.extra("metadata.json").read_text())
        saved = example.loaded()
        self.assertEqual(
            set(metadata["signatures"]) | {"serving_default"},
            set(saved.signatures),
        )
        for name, told in metadata["signatures"].items():
            function = saved.signatures[name]
            specs = function.structured_input_signature[1]
            for given, real in (
                (told["inputs"], specs),
                (told["outputs"], function.structured_outputs),
            ):
                self.assertEqual(
                    {k: (v["dtype"], v["shape"]) for k, v in given.items()},
                    {
                        k: (v.dtype.name, v.shape.as_list())
                        for k, v in real.items()
                    },
                )
