"""The documents of this house as their tests see them: links, headings, code, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT, tracked_files

HERE: Final = Path(__file__).parent.relative_to(ROOT)
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN: Final = re.compile(r"`([^`\n]+)`")
LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
SOURCES: Final = frozenset({".py", ".sql", ".yaml", ".yml", ".sh", ".toml", ".json", ""})


@cache
def markdown() -> tuple[Path, ...]:
    """Every document that git tracks or would add; relative to the root."""
    return tuple(path for path in tracked_files() if path.suffix == ".md")


def read(path: Path | str) -> str:
    """A document's text."""
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [code for found, code in FENCE.findall(text) if found == language]


def spans(text: str) -> list[str]:
    """The words between single backticks outside of fenced blocks."""
    return SPAN.findall(FENCE.sub("", text))


def commands(text: str, program: str) -> set[str]:
    """The words that follow a program's name wherever a document shows a command of it."""
    command_form = re.compile(rf"^\s*{program} +([a-z][a-z0-9-]*)", re.MULTILINE)
    shown = "\n".join([*spans(text), *(code for _, code in FENCE.findall(text))])
    return set(command_form.findall(shown))


def links(text: str) -> list[str]:
    """The targets of a document's links within the repository."""
    return [each for each in LINK.findall(FENCE.sub("", text)) if "://" not in each]


def anchors(text: str) -> set[str]:
    """The names under which a document's headings can be linked to."""
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.strip().replace(" ", "-") for title in plain}


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Links that lead to no file, no directory or no heading."""
    for target in links(text):
        file, _, anchor = target.partition("#")
        led_to = (ROOT / path.parent / file).resolve() if file else ROOT / path
        if not led_to.exists() or (anchor and anchor not in anchors(led_to.read_text())):
            yield f"{path}: {target}"


@cache
def source_words() -> frozenset[str]:
    """Every word of the sources, and the name of every file."""
    words: set[str] = set()
    for path in tracked_files():
        words.add(path.name)
        if path.suffix in SOURCES and path.parent != HERE:
            text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
            words.update(re.findall(r"[\w.]*\w", text), re.findall(r"\w+", text))
    return frozenset(words)


def unknown_names(text: str) -> set[str]:
    """Names between backticks that stand in no source: renamed, or never there."""
    names = {span for span in spans(text) if re.fullmatch(r"[A-Za-z_][\w.]*", span)}
    return names - source_words()
