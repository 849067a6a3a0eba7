import os
import pathlib
import re

from absl.testing import parameterized

from tests.testing import TestCase

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in (ROOT / "docs").glob("*.md")
    if "```python\n" in path.read_text()
)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


class DocsTest(TestCase):
    @parameterized.parameters(*(path.name for path in PAGES))
    def test_code_blocks_of_a_page_run(self, name):
        text = (ROOT / "docs" / name).read_text()
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        before = pathlib.Path.cwd()
        os.chdir(self.get_temp_dir())
        try:
            names = {}
            for block in blocks:
                exec(compile(block, name, "exec"), names)
        finally:
            os.chdir(before)

    def test_links_of_the_readme_lead_somewhere(self):
        for page in ("README.md", "CONTRIBUTING.md"):
            for target in LINK.findall((ROOT / page).read_text()):
                self.assertTrue((ROOT / target).exists(), target)
