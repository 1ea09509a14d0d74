"""Work of people on a case: who has it, what was asked and answered, and its end.

Names, contacts and words are sealed before they come here, under the key of the case, which only
the service's edge holds. A domain compares none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from services.complaints.domain.deadlines import Ladder, Level

EntryKind: TypeAlias = Literal["TEXT", "NOTE", "QUESTION", "ANSWER", "REPLY"]
"""The complaint itself, a note of staff, a question to the reporter and the answer to it, and what
the reporter is told in the end."""


class Entry(NamedTuple):
    """Sealed words on a case, and the day on which they came."""

    kind: EntryKind
    on: date
    words: str


class Attachment(NamedTuple):
    """A file elsewhere: its sealed reference, its media type and its size in bytes."""

    reference: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Statement:
    """Whoever complains, and their words, sealed, "" where there are none.

    `about` is the subject of the member of staff who is complained about, in the clear: nobody
    works on a case about themselves.
    """

    confidential: bool = False
    name: str = ""
    contact: str = ""
    words: str = ""
    about: str = ""


# -- Commands: `by` is the subject of whoever works on the case, "" for its reporter ---------------


@dataclass(frozen=True, slots=True)
class AssignCase:
    """Somebody's work it is from now on, by subject."""

    to: str
    by: str


@dataclass(frozen=True, slots=True)
class NoteCase:
    """A note that the reporter does not see."""

    on: date
    words: str
    by: str


@dataclass(frozen=True, slots=True)
class AttachFile:
    """A file of the case, by reference; `allowed` gives the most bytes of each media type."""

    on: date
    attachment: Attachment
    allowed: dict[str, int]
    by: str


@dataclass(frozen=True, slots=True)
class AskReporter:
    """The reporter is asked something and has until a day; the level's term does not run."""

    on: date
    until: date
    words: str
    by: str


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """The reporter has answered; the term runs on."""

    on: date
    words: str
    ladder: Ladder
    by: str


@dataclass(frozen=True, slots=True)
class CloseCase:
    """Nothing is left to do on a resolved case."""

    on: date
    by: str


@dataclass(frozen=True, slots=True)
class ReopenCase:
    """A resolved case was not done with; within so many days of its end."""

    on: date
    days: int
    ladder: Ladder
    by: str


@dataclass(frozen=True, slots=True)
class LinkCase:
    """The case is about what another one is about, and is resolved with it."""

    to: str
    on: date
    by: str


@dataclass(frozen=True, slots=True)
class UnlinkCase:
    """The case is handled by itself after all."""

    on: date
    ladder: Ladder
    by: str


@dataclass(frozen=True, slots=True)
class RateCase:
    """The reporter says how well a closed case was handled: 1 (badly) to 5 (well)."""

    on: date
    rating: int


Command: TypeAlias = (
    AssignCase
    | NoteCase
    | AttachFile
    | AskReporter
    | AnswerQuestion
    | CloseCase
    | ReopenCase
    | LinkCase
    | UnlinkCase
    | RateCase
)


# -- Events: those with `family` go out, the others stay in this service ---------------------------


@dataclass(frozen=True, slots=True)
class StatementTaken:
    """Whoever complains, and their words; sealed."""

    case: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class CaseAssigned:
    """The case is somebody's work."""

    case: str
    to: str


@dataclass(frozen=True, slots=True)
class WordsAdded:
    """Somebody has said something on the case."""

    case: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class FileAttached:
    """A file belongs to the case."""

    case: str
    on: date
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class CasePaused:
    """The case waits for the reporter until `due_on`; its level's days do not run."""

    case: str
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResumed:
    """The case waits no more; its level has until `due_on`."""

    case: str
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """A resolved case is closed."""

    case: str
    on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseReopened:
    """A resolved case is open again at the level that resolved it."""

    case: str
    level: Level
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseLinked:
    """The case is about the same thing as another one, with which it is resolved."""

    case: str
    to: str
    on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseUnlinked:
    """The case is handled by itself again; its level has until `due_on`."""

    case: str
    to: str
    on: date
    due_on: date | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseRated:
    """The reporter has said how well the case was handled, 1 to 5."""

    case: str
    on: date
    rating: int


Event: TypeAlias = (
    StatementTaken
    | CaseAssigned
    | WordsAdded
    | FileAttached
    | CasePaused
    | CaseResumed
    | CaseClosed
    | CaseReopened
    | CaseLinked
    | CaseUnlinked
    | CaseRated
)
INSIDE = (StatementTaken, CaseAssigned, WordsAdded, FileAttached, CaseRated)
"""Events that stay in this service."""
