"""What payments is sent over HTTP, and the forms of the names in it."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A request's body: nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid")


TahapId = Annotated[str, Field(pattern=r"^[0-9]{4}-[1-9]$")]
TahapPath = Annotated[str, Path(pattern=r"^[0-9]{4}-[1-9]$", description="Such as 2023-1.")]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Kind = Annotated[str, Field(pattern=r"^(REGULAR|SUPPLEMENTARY-[1-9][0-9]{0,2})$")]


class Announcement(Strict):
    """A tahap to announce; `after` gives, per service, the position its facts have reached."""

    tahap: TahapId
    months: Annotated[list[Month], Field(min_length=1, max_length=12)]
    closing_date: date
    account_check_date: date
    credit_date: date
    after: dict[str, Annotated[int, Field(ge=0)]] = {}


class Deferred(Strict):
    """A family that the list is frozen without, and why, as a code."""

    family: UUID
    reason: Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$")]


class FreezeProposal(Strict):
    """The hash of the list as it was read, and every missing family by name."""

    hash: Hash
    deferred: list[Deferred] = []


class Approval(Strict):
    """The hash of what is approved, as it was read."""

    hash: Hash


class Supplementary(Strict):
    """The deferred families to take up; all that are complete by now where none is named."""

    families: list[UUID] = []


class Close(Strict):
    """The deferred families that nobody will pay in this tahap any more, each with its reason."""

    lapsed: list[Deferred] = []


# -- Answers --------------------------------------------------------------------------------------


class Announced(BaseModel):
    """A tahap that is announced, and the rule set that it is paid by."""

    tahap: str
    rule_set: str


class Opened(BaseModel):
    """A supplementary list that is proposed to be frozen: its hash, and what it comes to."""

    kind: str
    hash: str
    count: int
    rupiah: int
    families: list[UUID]
