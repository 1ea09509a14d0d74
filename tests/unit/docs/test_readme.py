import re
from pathlib import Path

import pytest

from cli.main import app
from tests.architecture.tree import ROOT
from tests.unit.docs.documents import broken_links, commands, markdown, read, unknown_names

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"\$\(([A-Z_]+)\)", MAKEFILE))
PKH = {
    *(each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands),
    *(each.name for each in app.registered_groups),
}

OURS = [
    Path(name)
    for name in (
        "README.md",
        "ARCHITECTURE.md",
        "GLOSSARY.md",
        "docs/README.md",
        "libs/events/README.md",
        "libs/chassis/README.md",
    )
]


def test_every_link_leads_somewhere() -> None:
    broken = {str(path): list(broken_links(path, read(path))) for path in markdown()}

    assert {path: links for path, links in broken.items() if links} == {}


@pytest.mark.parametrize("target", ["no/such/file.md", "README.md#no-such-heading", "#nowhere"])
def test_a_link_that_leads_nowhere_is_noticed(target: str) -> None:
    assert list(broken_links(Path("README.md"), f"see [there]({target})"))


def test_every_make_target_that_a_document_names_is_there() -> None:
    named = {str(path): commands(read(path), "make") for path in markdown()}

    assert {path: targets - TARGETS for path, targets in named.items() if targets - TARGETS} == {}


@pytest.mark.parametrize("text", ["say `make coffee`", "```\nmake coffee\n```\n"])
def test_a_target_that_is_not_there_is_noticed(text: str) -> None:
    assert commands(text, "make") - TARGETS == {"coffee"}


@pytest.mark.parametrize("path", OURS, ids=str)
def test_every_variable_of_a_make_command_is_one_of_the_makefile(path: Path) -> None:
    shown = re.findall(r"`make [a-z0-9-]+ ([^`]+)`", read(path))
    given = {word.partition("=")[0] for each in shown for word in each.split() if "=" in word}

    assert given <= VARIABLES


@pytest.mark.parametrize("path", OURS, ids=str)
def test_every_pkh_command_that_a_document_names_is_there(path: Path) -> None:
    assert commands(read(path), "pkh") <= PKH


def test_a_pkh_command_that_is_not_there_is_noticed() -> None:
    assert commands("then `pkh brew`, then `pkh verify`", "pkh") - PKH == {"brew"}


def test_the_readme_shows_the_two_commands_that_set_everything_up() -> None:
    assert {"demo", "test"} <= commands(read("README.md"), "make")
    for target in ("demo", "test"):
        assert re.search(rf"^{target}: \$\(READY\)", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize(("path", "most"), [("README.md", 90), ("ARCHITECTURE.md", 200)])
def test_a_first_document_stays_short(path: str, most: int) -> None:
    assert len(read(path).splitlines()) <= most


@pytest.mark.parametrize("path", OURS, ids=str)
def test_every_name_of_the_code_that_a_document_uses_stands_in_the_code(path: Path) -> None:
    assert not unknown_names(read(path))


def test_a_name_that_stands_nowhere_is_noticed() -> None:
    assert unknown_names("`FamilyListed` became `FamilyEnumerated`") == {"FamilyEnumerated"}
