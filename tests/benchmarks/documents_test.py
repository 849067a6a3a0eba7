import contextlib
import io
import pathlib
import re
import shlex
import shutil
from unittest import mock

from benchmarks import compare, report
from tests.benchmarks import commands
from tests.testing import TestCase

ROOT = pathlib.Path(__file__).parents[2]
README = ROOT / "benchmarks" / "README.md"
PAGE = ROOT / "docs" / "benchmark.md"
COMMAND = re.compile(r"^python -m benchmarks\.compare (.*)$", re.MULTILINE)
GAINS = re.compile(r"^\|.*\(\d+ of \d+\) \|$")


class DocumentsTest(TestCase):
    def test_tables_are_what_the_commands_of_the_readme_print(self):
        text = README.read_text()
        printed = set()
        for arguments in COMMAND.findall(text):
            printed |= self.table_lines(shlex.split(arguments))
        self.assertGreater(len(printed), 50)
        self.assertEqual(printed - set(text.splitlines()), set())
        shown = [x for x in PAGE.read_text().splitlines() if GAINS.match(x)]
        self.assertLen(shown, 2 * len(compared_with_supervised()))
        self.assertEqual(set(shown) - printed, set())

    def table_lines(self, arguments):
        """Lines of the tables that are printed of committed rows."""
        flags = dict(a[2:].split("=", 1) for a in arguments if "=" in a)
        usual = "benchmarks/results/rooms.csv"
        rows = ROOT / flags.get("results", usual)
        # Beside it a plot is written.
        copy = shutil.copy(rows, self.get_temp_dir())
        printed = io.StringIO()
        with (
            contextlib.redirect_stdout(printed),
            mock.patch.object(report, "plot_gains"),
        ):
            commands.run(compare, *arguments, f"--results={copy}", "--report")
        found = printed.getvalue().splitlines()
        return {line for line in found if line.startswith("|")}

    def test_links_of_the_readme_lead_somewhere(self):
        text = README.read_text()
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        anchors = {"#" + h.lower().replace(" ", "-") for h in headings}
        for target in re.findall(r"\]\((.*?)\)", text):
            there = target in anchors or (README.parent / target).exists()
            self.assertTrue(there, target)


def compared_with_supervised():
    return [name for name in compare.METHODS if name != "supervised"]
