import inspect
import subprocess
import sys

import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras import registry
from jtr_keras.aggregation import Aggregation
from jtr_keras.balancing import Balancing
from jtr_keras.data import Dataset
from jtr_keras.export.formats import Format
from jtr_keras.interaction import Interaction
from jtr_keras.registry import Registry
from jtr_keras.regularization import TaskRegularization
from jtr_keras.tasks import Task
from tests.testing import TestCase

REGISTRIES = {
    name: value
    for name, value in vars(registry).items()
    if isinstance(value, Registry)
}
BASES = {
    "TASKS": Task,
    "BACKBONES": keras.layers.Layer,
    "INTERACTIONS": Interaction,
    "REGULARIZATIONS": TaskRegularization,
    "BALANCINGS": Balancing,
    "AGGREGATIONS": Aggregation,
    "DATASETS": Dataset,
    "FORMATS": Format,
}


def make_registry():
    # Two that cannot be imported, so that whoever imports them is found out.
    entries = {
        "unet": "models.unet:UNet",
        "module": "nothing:Nothing",
        "attribute": "models.unet:Nothing",
        "array": np.array,
    }
    return Registry("thing", entries)


class RegistryTest(TestCase):
    def test_names_are_known_without_imports(self):
        things = make_registry()
        self.assertIn("module", things)
        self.assertNotIn("other", things)
        self.assertLen(things, 4)
        self.assertEqual([*things], ["unet", "module", "attribute", "array"])
        self.assertEqual(
            repr(things),
            "Registry('thing', ['array', 'attribute', 'module', 'unet'])",
        )
        things.require("module")
        for name, error in (
            ("module", ModuleNotFoundError),
            ("attribute", AttributeError),
            ("other", KeyError),
        ):
            with self.assertRaises(error):
                things[name]

    def test_find(self):
        things = make_registry()
        self.assertEqual(things.find("unet").__name__, "UNet")
        self.assertIs(things.find("array"), np.array)
        for look in (things.find, things.make, things.require):
            with self.assertRaisesRegex(
                ValueError, r"no thing 'x'; there are \['array', .*'unet'\]"
            ):
                look("x")

    def test_make(self):
        things = make_registry()
        self.assertEqual(things.make("unet", {"widths": (4, 8)}).widths, (4, 8))
        self.assertEqual(things.make("array", {"object": 3}), 3)
        with self.assertRaisesRegex(ValueError, "thing 'unet': .*'x'"):
            things.make("unet", {"x": 1})
        with self.assertRaisesRegex(ValueError, "thing 'array': .*object"):
            things.make("array")

    def test_own_entries(self):
        things = make_registry()
        things["mine"] = dict
        self.assertEqual(things.make("mine", {"a": 1}), {"a": 1})
        things["unet"] = list  # One may replace another.
        self.assertEqual(things.make("unet"), [])
        del things["mine"]
        self.assertNotIn("mine", things)


class EntriesTest(TestCase):
    @parameterized.parameters(*BASES)
    def test_every_entry_is_of_its_kind(self, name):
        for found in REGISTRIES[name].values():
            if not inspect.isclass(found):  # A data set, a format.
                found = type(found)
            self.assertTrue(issubclass(found, BASES[name]))

    def test_every_registry_has_a_kind(self):
        self.assertEqual(set(BASES), set(REGISTRIES))

    def test_kinds_differ(self):
        kinds = {value.kind for value in REGISTRIES.values()}
        self.assertLen(kinds, len(REGISTRIES))

    def test_datasets_are_called_as_they_are(self):
        for name, dataset in registry.DATASETS.items():
            self.assertEqual(dataset.name, name)
        self.assertContainsSubset(registry.READ_FROM_ROOT, registry.DATASETS)

    def test_the_module_loads_nothing(self):
        code = (
            "import sys; from jtr_keras.registry import BACKBONES; "
            "assert 'unet' in BACKBONES and sorted(BACKBONES); "
            "assert not {'tensorflow', 'keras'} & {*sys.modules}"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
