import importlib
import os
import pathlib
import pkgutil
import re

from absl.testing import parameterized

import jtr_keras
from tests.testing import TestCase

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in (ROOT / "docs").glob("*.md")
    if "```python\n" in path.read_text()
)
ROOMS = [
    module.name
    for module in pkgutil.iter_modules(jtr_keras.__path__)
    if module.ispkg and module.name != "cli"
]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


class DocsTest(TestCase):
    @parameterized.parameters(*(path.name for path in PAGES))
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
        before = pathlib.Path.cwd()
        os.chdir(self.get_temp_dir())
        try:
            names = {}
            for block in BLOCK.findall(text):
                exec(compile(block, name, "exec"), names)
        finally:
            os.chdir(before)

    @parameterized.parameters(*ROOMS)
    def test_every_public_name_is_in_the_reference(self, room):
        page = (ROOT / "docs" / "api.md").read_text()
        known = re.findall(rf"^::: jtr_keras\.{room}\..*?(\w+)$", page, re.M)
        public = importlib.import_module(f"jtr_keras.{room}").__all__
        self.assertContainsSubset(public, known)

    def test_links_of_the_readme_lead_somewhere(self):
        for page in ("README.md", "CONTRIBUTING.md"):
            for target in LINK.findall((ROOT / page).read_text()):
                self.assertTrue((ROOT / target).exists(), target)
