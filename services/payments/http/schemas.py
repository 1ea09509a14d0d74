"""Bodies that payments is sent over HTTP, and the forms of the names in them."""

from __future__ import annotations

import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from libs.chassis.bodies import Day, Id, Month, Position, Strict, TahapId
from libs.chassis.forms import is_plain

LONG_NUMBER: Final = re.compile(r"(?:[0-9][ .-]?){10}")


def _names_nobody(given: str) -> str:
    if not is_plain(given):  # digits of another script would hide a number from us
        raise PydanticCustomError("text_odd", "A reason is of letters that show, and digits 0 to 9")
    # It is published: a number of a person, a card or an account must not travel with it.
    if LONG_NUMBER.search(given):
        raise PydanticCustomError("long_number", "A reason holds no number of ten digits or more")
    return given


ReasonCode = Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$")]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"),
    AfterValidator(_names_nobody),
]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Kind = Annotated[str, Field(pattern=r"^(REGULAR|SUPPLEMENTARY-[1-9][0-9]{0,2})$")]


class After(Strict):
    """By service, the position that its log must have reached before it starts."""

    registry: Position | None = None
    conditionality: Position | None = None

    def positions(self) -> dict[str, int]:
        """Those that are named."""
        return self.model_dump(exclude_none=True)


class Override(Strict):
    """The benefit table that is to be paid by although nobody has verified its source, and why."""

    table: Annotated[str, Field(pattern=r"^[0-9a-z-]{1,40}$")]
    reason: Reason


class Announcement(Strict):
    """The terms of a tahap, for another person to approve."""

    tahap: TahapId
    months: Annotated[list[Month], Field(min_length=1, max_length=12)]
    closing_date: Day
    account_check_date: Day
    credit_date: Day
    after: After = After()
    override: Override | None = None


class Cancellation(Strict):
    """The reason why a tahap is to be cancelled, as a code."""

    reason: ReasonCode


class Correction(Announcement):
    """The terms on which a tahap is to be announced anew, and why, as a code."""

    reason: ReasonCode


class Empty(Strict):
    """A request that says everything by where it is sent."""


class AnnouncementApproval(Strict):
    """The hash of the proposal, and the positions of the services' logs, as they were read."""

    hash: Hash
    after: After


class Deferred(Strict):
    """A family that the list is frozen without, and why, as a code."""

    family: Id
    reason: ReasonCode


Diff = Annotated[
    Hash | None,
    Field(description="The hash of the differences from the last frozen list that one has seen."),
]


class FreezeProposal(Strict):
    """The hash of the list as it was read, every missing family by name, what was seen of it."""

    hash: Hash
    deferred: list[Deferred] = Field(default=[])
    diff: Diff = None


class FreezeApproval(Strict):
    """The hash of what is approved, and that of its differences, as they were read."""

    hash: Hash
    diff: Diff = None


class Approval(Strict):
    """The hash of what is approved, as it was read."""

    hash: Hash


class Judgement(Strict):
    """The partner, TREASURY or a bank, whose incident a person has judged, and what was found."""

    partner: Annotated[str, Field(pattern="^[A-Z]{1,20}$")]
    reason: Reason


class Supplementary(Strict):
    """The deferred families to take up; all that are complete and not held, where none is named.

    `day` is the one that their payments count for: a family is held on it or not. Today where it is
    not said, or the tahap's credit date where that is later; none behind it, nor before that date.
    """

    families: list[Id] = Field(default=[])
    day: Day | None = None


class Close(Strict):
    """The deferred families that nobody will pay in this tahap any more, each with its reason."""

    lapsed: list[Deferred] = Field(default=[])


# -- Answers --------------------------------------------------------------------------------------


class Proposed(BaseModel):
    """A tahap that is proposed: the rule set that it is to be paid by, the hash to approve."""

    tahap: str
    rule_set: str
    revision: int
    hash: str


class Opened(BaseModel):
    """A supplementary list that is proposed to be frozen: its hash, and what it comes to.

    `cut` is what of the rupiah is not paid, because a cycle failed. Where it differs from the last
    frozen list, as `diff` says, it is not proposed before its maker has seen that.
    """

    kind: str
    hash: str
    count: int
    rupiah: int
    cut: int
    families: list[UUID]
    deferred: list[Deferred]
    diff: str | None
