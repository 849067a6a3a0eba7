import importlib
import os
import pathlib
import pkgutil
import re

from absl.testing import parameterized

import jtr_keras
from jtr_keras import registry
from tests.testing import TestCase

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EXECUTED = [page for page in PAGES if "```python\n" in page.read_text()]
PACKAGES = [
    module.name
    for module in pkgutil.iter_modules(jtr_keras.__path__)
    if module.ispkg and module.name != "cli"
]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
OUTSIDE = re.compile(r"\.\./shared|\bspec/")


def registries():
    """What pages may add their own classes to."""
    every = vars(registry).values()
    found = [x for x in every if isinstance(x, registry.Registry)]
    return [*found, jtr_keras.data.ENCODINGS]


class DocsTest(TestCase):
    @parameterized.named_parameters(*((p.stem, p.name) for p in EXECUTED))
    def test_code_blocks_of_a_page_run(self, name):
        self.run_blocks(name, (ROOT / "docs" / name).read_text())

    def test_code_block_of_the_readme_runs(self):
        text = (ROOT / "README.md").read_text()
        for long, short in (
            ("epochs=30", "epochs=1, steps_per_epoch=1, validation_steps=1"),
            ("batch_size=8", "batch_size=1"),
            ("Adam(1e-3)", "Adam(1e-3), jit_compile=False"),
            ("UNet()", "UNet(widths=(4, 8))"),
        ):
            self.assertIn(long, text)
            text = text.replace(long, short)
        self.run_blocks("README.md", text)

    def run_blocks(self, name, text):
        # Tracing a step takes longer than one step; other tests trace them.
        text = text.replace(
            "jit_compile=False)", "jit_compile=False, run_eagerly=True)"
        )
        before = pathlib.Path.cwd()
        os.chdir(self.get_temp_dir())
        known = [set(mapping) for mapping in registries()]
        try:
            names = {}
            for block in BLOCK.findall(text):
                exec(compile(block, name, "exec"), names)
        finally:
            os.chdir(before)
            for mapping, names in zip(registries(), known, strict=True):
                for added in set(mapping) - names:
                    del mapping[added]

    @parameterized.named_parameters(*((name, name) for name in PACKAGES))
    def test_every_public_name_is_in_the_reference(self, package):
        page = (ROOT / "docs" / "api.md").read_text()
        section = page.split(f"## jtr_keras.{package}\n")[1].split("\n## ")[0]
        known = re.findall(r"^::: jtr_keras\..*?(\w+)$", section, re.M)
        public = importlib.import_module(f"jtr_keras.{package}").__all__
        self.assertCountEqual(known, public)

    def test_links_lead_somewhere(self):
        # Those of docs/ are checked when the documentation is built.
        for page in (*ROOT.glob("*.md"), ROOT / "savedmodels" / "README.md"):
            for target in LINK.findall(page.read_text()):
                self.assertTrue((page.parent / target).exists(), target)

    def test_nothing_refers_to_files_that_users_do_not_have(self):
        sources = (ROOT / "jtr_keras").rglob("*.py")
        for path in (*PAGES, *ROOT.glob("*.md"), *sources):
            self.assertNotRegex(path.read_text(), OUTSIDE, path.name)
