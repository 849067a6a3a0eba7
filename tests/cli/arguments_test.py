import argparse
import pathlib
import re

from absl.testing import parameterized

from jtr_keras.cli import arguments
from jtr_keras.cli.main import parse
from jtr_keras.registry import (
    AGGREGATIONS,
    BALANCINGS,
    INTERACTIONS,
    READ_FROM_ROOT,
    REGULARIZATIONS,
)
from tests.testing import TestCase


def train(*flags):
    return vars(parse(["train", "--workdir=w", *flags]))


class KindTest(TestCase):
    @parameterized.parameters(
        ("NAMES", "a, b,,c", ["a", "b", "c"]),
        ("JSON", '{"a": [1, null]}', {"a": [1, None]}),
        ("INTEGER", "-3", -3),
        ("COUNT", "7", 7),
        ("RATE", "1e-3", 1e-3),
        ("RATE", "0", 0.0),
        ("SIZE", "96,128", (96, 128)),
    )
    def test_values(self, kind, text, value):
        self.assertEqual(getattr(arguments, kind)(text), value)

    @parameterized.parameters(
        ("NAMES", ""),
        ("NAMES", " ,"),
        ("JSON", "nothing"),
        ("JSON", "[]"),
        ("INTEGER", "--3"),
        ("INTEGER", "3.0"),
        ("COUNT", "0"),
        ("COUNT", "-1"),
        ("RATE", "-1"),
        ("RATE", "nan"),
        ("RATE", "inf"),
        ("SIZE", "1,2,3"),
        ("FOLDER", ""),
    )
    def test_other_texts_are_refused(self, kind, text):
        message = f"^must .*; got {re.escape(repr(text))}"
        with self.assertRaisesRegex(argparse.ArgumentTypeError, message):
            getattr(arguments, kind)(text)


class FlagsTest(TestCase):
    def test_defaults(self):
        args = train()
        self.assertEqual(args["regularization"], "label_restoration")
        self.assertEqual(args["interaction"], "shared_features")
        self.assertEqual(args["aggregation"], "sum")
        self.assertEqual(args["balancing"], "none")
        for name in ("tasks", "labels", "steps", "import", "baselines"):
            self.assertIsNone(args[name], name)

    @parameterized.parameters(
        ("--check", True),
        ("--nocheck", False),
        ("--check=true", True),
        ("--check=false", False),
        ("--check=True", True),
        ("--check=0", False),
    )
    def test_switches(self, flag, value):
        self.assertIs(train("--check", "--nocheck", flag)["check"], value)
        self.assertIs(train("--nocheck", "--check", flag)["check"], value)

    def test_a_switch_leaves_the_argument_behind_it(self):
        args = parse(["predict", "--model=m", "--arrays", "a.jpg", "b.jpg"])
        self.assertTrue(args.arrays)
        self.assertEqual(args.images, ["a.jpg", "b.jpg"])
        args = parse(["predict", "a.jpg", "b.jpg", "--model", "m"])
        self.assertFalse(args.arrays)
        self.assertEqual((args.model, args.images), ("m", ["a.jpg", "b.jpg"]))
        self.assertIsNone(parse(["export", "--model=m"]).warmup)

    def test_lists_and_objects(self):
        args = train(
            "--tasks=depth,normals", '--baselines={"depth": 0.5}', "--seed=-1"
        )
        self.assertEqual(args["tasks"], ["depth", "normals"])
        self.assertEqual(args["baselines"], {"depth": 0.5})
        self.assertEqual(args["seed"], -1)

    def test_flags_of_a_file(self):
        file = pathlib.Path(self.get_temp_dir()) / "flags"
        file.write_text("--epochs=3\n# A comment.\n--nocheck\n")
        args = train(f"--flagfile={file}", "--epochs=4")
        self.assertEqual((args["epochs"], args["check"]), (4, False))


class ChoiceTest(TestCase):
    def make(self, registry, *flags):
        args = argparse.Namespace(**train(*flags))
        arguments.refuse_options_of_none(args, registry)
        return arguments.make_choice(args, registry)

    def test_made_with_options(self):
        regularization = self.make(
            REGULARIZATIONS,
            "--regularization=view_consistency",
            '--regularization_options={"weight": 0.5}',
        )
        self.assertEqual(regularization.loss_weights["view_consistency"], 0.5)
        interaction = self.make(
            INTERACTIONS, '--interaction_options={"filters": 8}'
        )
        self.assertEqual(interaction.filters, 8)
        aggregation = self.make(
            AGGREGATIONS, '--aggregation_options={"name": "mine"}'
        )
        self.assertEqual(aggregation.name, "mine")

    def test_none(self):
        self.assertIsNone(self.make(BALANCINGS))
        self.assertIsNone(self.make(REGULARIZATIONS, "--regularization=none"))
        with self.assertRaisesRegex(ValueError, "--balancing_options are giv"):
            self.make(BALANCINGS, '--balancing_options={"period": 2}')

    @parameterized.parameters(
        ('{"x": 1}', "'joint_task': .*'x'"), ('{"semantics": "x"}', "semantics")
    )
    def test_wrong_options(self, options, message):
        flags = (
            "--regularization=joint_task",
            f"--regularization_options={options}",
        )
        with self.assertRaisesRegex(
            ValueError, f"^--regularization_options: .*{message}"
        ):
            self.make(REGULARIZATIONS, *flags)


class RootTest(TestCase):
    def test_where_it_is_needed(self):
        folder = self.get_temp_dir()
        for name in READ_FROM_ROOT:
            self.assertEqual(arguments.require_root(name, folder), folder)
            with self.assertRaisesRegex(ValueError, f"'{name}' needs --root"):
                arguments.require_root(name, None)
        self.assertEqual(arguments.require_root("rooms", None), "")
        with self.assertRaisesRegex(ValueError, "no folder .*/none"):
            arguments.require_root("folder", f"{folder}/none")
        with self.assertRaisesRegex(ValueError, "no dataset 'x'"):
            arguments.require_root("x", folder)
