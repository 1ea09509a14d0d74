"""Fields of requests, each written in one way: nothing is converted, nothing unknown taken.

class Proposal(Strict):
    closing_date: Day
    families: list[Id]
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from libs.chassis import forms
from libs.events.domain.errors import NotFound

_NO_DAY: Final = "Input should be a day of the calendar as YYYY-MM-DD, 1900 to 2100"
_NO_MOMENT: Final = "Input should be a moment in UTC as YYYY-MM-DDThh:mm:ssZ"
_NO_ID: Final = "Input should be a UUID of 36 characters"


class Strict(BaseModel):
    """A request's body. A whole number is no text, no truth value and has no fraction."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _day(value: object) -> date:
    if isinstance(value, str) and forms.is_day(value):
        return forms.day(value)
    raise PydanticCustomError("day_form", _NO_DAY)


def _moment(value: object) -> datetime:
    if isinstance(value, str) and forms.MOMENT.fullmatch(value) and forms.is_day(value[:10]):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise PydanticCustomError("moment_form", _NO_MOMENT)


def _id(value: object) -> UUID:
    if isinstance(value, str) and forms.ID.fullmatch(value):
        return UUID(value)
    raise PydanticCustomError("id_form", _NO_ID)


Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Id = Annotated[UUID, BeforeValidator(_id)]
Month = Annotated[str, Field(pattern=f"^{forms.MONTH.pattern}$")]
Nik = Annotated[str, Field(pattern=f"^{forms.NIK.pattern}$")]
"""A person's number, and a family card's."""
TahapId = Annotated[
    str, Field(pattern=f"^{forms.TAHAP.pattern}$", description="A tahap, such as 2023-1.")
]
OFFICE_ID: Final = f"^{forms.OFFICE_ID.pattern.removesuffix('?')}$"
OfficeId = Annotated[str, Field(pattern=OFFICE_ID)]
"""A facilitator, a group, a facility."""
Position = Annotated[int, Field(ge=0, le=forms.BIGINT_MAX)]
"""A position of a log."""


class FamilyUnknown(NotFound):
    """This service knows no family of this id."""


class TahapUnknown(NotFound):
    """This service knows no tahap of this id."""
