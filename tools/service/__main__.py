"""Lays a new service that is green at once, or takes one away that was only laid.

    python -m tools.service purses "Purses of families"
    python -m tools.service --remove purses

It has one aggregate, one POST, one GET and one message, which projection keeps in the timeline of
the family; `laid/` beside this file is what it is made of. What is generated is generated again.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Final

from libs.chassis.catalogue import ROOT, Catalogue, CatalogueRefused, load

LAID: Final = Path(__file__).parent / "laid"
NAME: Final = re.compile(r"[a-z][a-z0-9]{2,23}")
TITLE: Final = re.compile(r"""[^\x00-\x1f"\\$]{3,60}""")
TAKEN: Final = frozenset(
    {
        *("all", "bank", "bus", "eraser", "grafana", "issuer", "kafka", "keys", "migrate", "pkh"),
        *("postgres", "prometheus", "rebuild", "relay", "shared", "tempo", "tools", "treasury"),
    }
)
"""Names of containers, databases and roles that are no services."""
GENERATORS: Final = ("tools.deployment", "tools.contracts.generate", "tests.contract.stored_events")


class ServiceRefused(Exception):
    """A service cannot be laid, or not be taken away; the text says why."""


def topic_of(name: str) -> str:
    """The topic of a laid service."""
    return f"pkh.{name}.case.v1"


def places(name: str) -> Mapping[str, Path]:
    """{directory of `laid/`: its place in the tree}."""
    return {
        "service": Path("services") / name,
        "topic": Path("contracts") / topic_of(name),
        "unit": Path("tests/unit") / name,
        "integration": Path("tests/integration") / name,
    }


def files(name: str, title: str) -> Iterator[tuple[Path, str]]:
    """(path, text) of every file that is laid."""
    words = {"name": name, "title": title, "topic": topic_of(name)}
    for directory, folder in places(name).items():
        for path in sorted((LAID / directory).rglob("*.txt")):
            target = folder / path.relative_to(LAID / directory).with_suffix("")
            yield target, Template(path.read_text("utf-8")).substitute(words)


# -- The two descriptions -------------------------------------------------------------------------


def entry(name: str, title: str, catalogue: Catalogue) -> str:
    """The lines of services.toml, with the next port."""
    port = 1 + max(service.port for service in catalogue.services.values())
    return f'\n[{name}]\ntitle = "{title}"\nport = {port}\npublishes = ["{topic_of(name)}"]\n'


def declaration(name: str) -> str:
    """The lines of topics.yaml; as many partitions as every topic of families has."""
    form = "{key: family, partitions: 12, owner: %s, data_class: pseudonymous}"
    return f"  {topic_of(name)}:\n    {form % name}\n"


READS: Final = re.compile(
    r"(^\[projection\]\n(?:(?!\[).*\n)*?reads = \[\n(?:  .*\n)*)", re.MULTILINE
)


def described(root: Path, name: str, title: str) -> Mapping[Path, str]:
    """{path: text} of both descriptions with the service in them."""
    services, topics = root / "deploy/services.toml", root / "contracts/topics.yaml"
    read_too = READS.sub(rf'\g<1>  "{topic_of(name)}",\n', services.read_text("utf-8"))
    return {
        services: read_too + entry(name, title, load(root)),
        topics: topics.read_text("utf-8") + declaration(name),
    }


def undescribed(root: Path, name: str) -> Mapping[Path, str]:
    """{path: text} of both descriptions without the service."""
    services, topics = root / "deploy/services.toml", root / "contracts/topics.yaml"
    without = re.sub(rf"\n\[{name}\]\n(?:(?!\n?\[).*\n)*", "", services.read_text("utf-8"))
    return {
        services: without.replace(f'  "{topic_of(name)}",\n', ""),
        topics: topics.read_text("utf-8").replace(declaration(name), ""),
    }


# -- Laying and taking away -----------------------------------------------------------------------


def generate(root: Path) -> None:
    """Generate again what follows from the descriptions and the code of a tree."""
    # Each in a process of its own, which finds the tree as it is now.
    for program in GENERATORS:
        subprocess.run([sys.executable, "-m", program], cwd=root, check=True)


def lay(root: Path, name: str, title: str, then: Callable[[Path], None] = generate) -> None:
    """Lay a service, or nothing of it. Raises `ServiceRefused`."""
    if not NAME.fullmatch(name):
        raise ServiceRefused(
            f"NAME must be 3 to 24 small letters and digits, such as purses: {name!r}."
        )
    if not TITLE.fullmatch(title):
        raise ServiceRefused('TITLE must be 3 to 60 characters without ", \\ and $.')
    there = any((root / folder).exists() for folder in places(name).values())
    if there or name in TAKEN or iskeyword(name) or name in load(root).names:
        raise ServiceRefused(f"{name} is taken.")
    descriptions = described(root, name, title)
    before = {path: path.read_text("utf-8") for path in descriptions}
    try:
        _write({**{root / path: text for path, text in files(name, title)}, **descriptions})
        then(root)
    except BaseException:
        _write(before)
        _delete(root, name)
        with suppress(Exception):  # what could not be generated is generated by the next attempt
            then(root)
        raise


def take_away(root: Path, name: str, then: Callable[[Path], None] = generate) -> None:
    """Take away a service that was only laid. Raises `ServiceRefused`."""
    entry_of = load(root).services.get(name)
    if entry_of is None:
        raise ServiceRefused(f"There is no service {name}.")
    promised = (root / "contracts/released.json").read_text("utf-8")
    if entry_of.publishes != (topic_of(name),) or topic_of(name) in promised:
        raise ServiceRefused(f"{name} was not only laid: others rely on its messages.")
    _write(undescribed(root, name))
    _delete(root, name)
    then(root)


def _write(texts: Mapping[Path, str]) -> None:
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _delete(root: Path, name: str) -> None:
    for path in (*places(name).values(), Path("tests/contract/stored") / name):
        shutil.rmtree(root / path, ignore_errors=True)
    (root / "contracts/openapi" / f"{name}.json").unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Lay or take away; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.service")
    parser.add_argument("name")
    parser.add_argument("title", nargs="?", default="")
    parser.add_argument("--remove", action="store_true", help="take it away again")
    given = parser.parse_args(arguments)
    try:
        if given.remove:
            take_away(ROOT, given.name)
        else:
            lay(ROOT, given.name, given.title)
    except (ServiceRefused, CatalogueRefused, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
