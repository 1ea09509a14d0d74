"""An explanation as people read it: numbered sentences, what each rests on, sources at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

LANGUAGES: Final = ("en", "id")
INDENT: Final = 4
FACTS_A_LINE: Final = " · "


@dataclass(frozen=True, slots=True)
class Labels:
    """The few words beside the sentences, which come from projection."""

    title: str
    since: str
    known_since: str
    rule: str
    sources: str
    member: str


LABELS: Final[Mapping[str, Labels]] = {
    "en": Labels(
        title="Family {family}, tahap {tahap}: {disposition}",
        since="true from",
        known_since="known from",
        rule="Rule",
        sources="Sources",
        member="member",
    ),
    "id": Labels(
        title="Keluarga {family}, tahap {tahap}: {disposition}",
        since="berlaku sejak",
        known_since="diketahui sejak",
        rule="Aturan",
        sources="Sumber",
        member="anggota",
    ),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in both languages."""

    en: str
    id: str

    def in_(self, language: str) -> str:
        """The sentence in one of them."""
        return self.id if language == "id" else self.en


@dataclass(frozen=True, slots=True)
class Reference:
    """The event behind a statement."""

    service: str
    position: int
    type: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A recorded fact, with its dates."""

    name: str
    value: str
    member: int | None
    effective_on: str | None
    reported_on: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from."""

    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Clause:
    """A rule in force then."""

    rule_set: str
    text: Sentence
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the explanation."""

    text: Sentence
    references: tuple[Reference, ...]
    facts: tuple[Fact, ...]
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of projection, as far as it is shown."""

    family: str
    tahap: str
    disposition: str
    text: Sentence
    steps: tuple[Step, ...]


def show(console: Console, answer: Mapping[str, Any], language: str) -> None:
    """Print an explanation in one language."""
    explanation, labels = msgspec.convert(answer, Explanation), LABELS[language]
    title = labels.title.format(
        family=explanation.family, tahap=explanation.tahap, disposition=explanation.disposition
    )
    console.print(Text(title, style="bold"))
    console.print(Text(explanation.text.in_(language)))
    sources = _numbered(explanation.steps)
    for number, step in enumerate(explanation.steps, 1):
        console.print()
        console.print(Text(f"{number:>2}. {step.text.in_(language)}"))
        for line in _beneath(step, labels, language, sources):
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, INDENT)))
    if sources:
        console.print()
        console.print(Text(labels.sources, style="bold"))
        for source, number in sources.items():
            note = f" ({source.note})" if source.note else ""
            console.print(Padding(Text(f"[{number}] {source.title}{note}"), (0, 0, 0, INDENT)))


def _numbered(steps: Sequence[Step]) -> dict[Source, int]:
    """Every source once, numbered as it first comes."""
    numbers: dict[Source, int] = {}
    for step in steps:
        for clause in step.clauses:
            for source in clause.sources:
                numbers.setdefault(source, len(numbers) + 1)
    return numbers


def _beneath(
    step: Step, labels: Labels, language: str, sources: Mapping[Source, int]
) -> Iterator[str]:
    """The grounds of a step: facts with their dates, rules with their sources, events."""
    if step.facts:
        yield FACTS_A_LINE.join(_fact(fact, labels) for fact in step.facts)
    for clause in step.clauses:
        cited = "".join(f" [{sources[source]}]" for source in clause.sources)
        yield f"{labels.rule} {clause.rule_set}: {clause.text.in_(language)}{cited}"
    if step.references:
        yield FACTS_A_LINE.join(
            f"{reference.service} {reference.position} {reference.type}"
            for reference in step.references
        )


def _fact(fact: Fact, labels: Labels) -> str:
    whose = f"{labels.member} {fact.member} " if fact.member is not None else ""
    dates = (labels.since, fact.effective_on), (labels.known_since, fact.reported_on)
    dated = ", ".join(f"{label} {day}" for label, day in dates if day)
    return f"{whose}{fact.name} {fact.value or '-'}{f' ({dated})' if dated else ''}"
