"""No command that a document shows escapes: each is run by a test."""

import re
from pathlib import Path

import pytest

from tests.guides.console import FENCE, Command, commands, matches
from tests.unit.docs.documents import markdown, read

RUN_BY = {
    "docs/containers.md": "tests/compose/__main__.py",
    "docs/operator.md": "tests/e2e/test_guides.py",
    "docs/integrator.md": "tests/e2e/test_guides.py",
    "docs/developer.md": "tests/integration/test_developer_guide.py",
    "examples/consumers/README.md": "tests/integration/test_example_consumers.py",
}
ELSEWHERE = {
    "make demo": "tests/e2e/test_demo.py",
    "make check": ".ci/run",
    "make test": ".ci/run",
    "make help": "Makefile",
}
"""Commands that take long and are a test, or a check, of their own."""

SCRIPTS_RUN_BY = {"docs/partners.md": "tests/integration/simulators/test_partners_page.py"}
"""Pages whose `sh` blocks are run whole, for what they leave behind."""

NO_COMMANDS = {"text", "json", "python", "yaml", "http", "sql", "diff", "promql"}


def test_every_fenced_block_says_what_it_is() -> None:
    for path in markdown():
        languages = {block["language"] for block in FENCE.finditer(read(path))}

        run_whole = {"sh"} if path.as_posix() in SCRIPTS_RUN_BY else set()
        assert languages <= NO_COMMANDS | {"console"} | run_whole, path
        if run_whole:
            assert path.name in read(SCRIPTS_RUN_BY[path.as_posix()])


def test_every_command_that_is_shown_is_run_by_a_test() -> None:
    for path in markdown():
        shown = [each.text.partition("#")[0].strip() for each in commands(read(path))]

        if path.as_posix() in RUN_BY:
            assert Path(path).name in read(RUN_BY[path.as_posix()])
        else:
            assert set(shown) <= ELSEWHERE.keys(), path


def test_what_the_readme_shows_is_what_the_tests_run() -> None:
    demo = re.search(r"^demo:.*\n\t(.*)$", read("Makefile"), re.MULTILINE)

    assert demo is not None
    assert demo[1].startswith("$(BIN)/pkh demo $(DATA) --out $(OUT)")
    assert '"cli.main", "demo"' in read(ELSEWHERE["make demo"])
    assert "make check" in read(".ci/run")
    assert "make test" in read(".ci/run")


def test_commands_and_what_they_print_are_told_apart() -> None:
    text = "```console\n$ one \\\n> more\nshown\n$ two\n```\n\n```text\n$ three\n```\n"

    assert list(commands(text)) == [
        Command(2, "one \\\nmore", ("shown",)),
        Command(5, "two", ()),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (("a", "b"), ["a", "b"], True),
        (("a", "..."), ["a"], True),
        (("...", "b"), ["x", "y", "b"], True),
        (("a ... c",), ["a b c"], True),
        (("a",), ["a", "b"], False),
        ((), ["b"], False),
        (("a", "...", "b"), ["a", "c"], False),
    ],
)
def test_what_is_shown_is_compared_line_by_line(
    shown: tuple[str, ...], printed: list[str], same: bool
) -> None:
    assert matches(shown, printed) is same
