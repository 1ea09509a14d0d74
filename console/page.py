"""A page of the console: where it stands, who may see it, and what shows it.

    PAGE = Page("groups", "/groups", show, menu=30)

    async def show(visit: Visit) -> Shown:
        tahap = await visit.tahap()
        return Shown("groups.html", {"rows": await sessions.groups(visit.reading, tahap, ...)})

What a page shows is plain data: dictionaries, lists and values. The families that it names, under
the keys `family` and `families`, are written down with the reader before it goes out.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import Response

from console.sessions import Session
from console.words import Language, Words
from libs.chassis.auth import NATION, Principal, is_outside
from libs.chassis.forms import holds_number
from libs.chassis.pagination import Pages, asked_page
from libs.chassis.reading import Reading
from libs.chassis.settings import Settings
from libs.events.store.postgres import Store
from services.projection.policy.areas import names
from services.projection.tables import areas

TAHAP: Final = re.compile(r"20[0-9]{2}-[1-9]")

OTHERS_S_MAX: Final = 10.0

T = TypeVar("T", bound=str)


class PageRefused(Exception):
    """A page that is not shown: the status, and the word of words/errors.yaml that says why."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status, self.word = status, word


class OtherSilent(Exception):
    """Another service does not answer now."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The content of a page: a template and plain data for it. A part of a page has no frame."""

    template: str
    data: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Leads:
    """Another page of the console, to which whoever posted a form is sent."""

    to: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file for a spreadsheet. Each part of its rows is written down with the reader before it
    goes out, as a page is."""

    name: str
    columns: Sequence[str]
    parts: AsyncIterator[Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one signed-in person, with what a page may ask for."""

    request: Request
    reader: Principal
    token: str = field(repr=False)
    language: Language
    words: Words
    form: Mapping[str, str]
    """The fields of a posted form, its token checked."""
    session: Session
    """The reader's session; of a stranger's visit one without tokens."""
    while_open: str = field(default="", repr=False)
    """A word that a browser forgets when it ends, from its sign-in; "" where it has none."""
    csrf: str = field(default="", repr=False)
    """The word that a form of this session carries."""

    @property
    def reading(self) -> Reading:
        """Reads that see no row of another region."""
        found: Reading = self.request.app.state.reading
        return found

    @property
    def store(self) -> Store:
        """The service's own store, for what is the nation's and no family's."""
        found: Store = self.request.app.state.store
        return found

    @property
    def settings(self) -> Settings:
        """The settings of the process."""
        found: Settings = self.request.app.state.settings
        return found

    @property
    def is_part(self) -> bool:
        """True where htmx asks for a part of a page that stands already."""
        return self.request.headers.get("hx-request") == "true"

    # -- Other services, which ask for the reader's rights themselves

    async def ask(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer of another service to the signed-in person, whatever its status; it decides by
        their token what they see and may do. `OtherSilent` where it does not answer."""
        address = self.settings.addresses.get(service)
        if not address:  # nobody has said where it is
            raise OtherSilent(service)
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "POST":
            own["Idempotency-Key"] = str(uuid.uuid4())
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=OTHERS_S_MAX) as client:
                return await client.request(
                    method,
                    f"{address}{path}",
                    params=query,
                    json=body,
                    headers={**own, **(headers or {})},
                )
        except httpx.HTTPError as error:
            raise OtherSilent(service) from error

    # -- What stands in the address; anything unknown there is a page of its own

    def asked(self, name: str) -> str | None:
        """A parameter of the address, which may stand there once."""
        values = self.request.query_params.getlist(name)
        if len(values) > 1:
            raise PageRefused(422, "unknown_filter")
        return values[0] if values and values[0] else None

    def only(self, *names: str) -> None:
        """Refuse a parameter that this page does not know: a filter that is passed over would show
        more than was asked for."""
        if set(self.request.query_params) - set(names):
            raise PageRefused(422, "unknown_filter")

    def choice(self, name: str, choices: Collection[T], default: T) -> T:
        """One of a few words of the address."""
        asked = self.asked(name)
        for word in choices:
            if asked == word:
                return word
        if asked is not None:
            raise PageRefused(422, "unknown_filter")
        return default

    def regions(self) -> tuple[str | None, tuple[str, ...]]:
        """The area that is asked for, and what of it the reader may see; 403 where that is none."""
        area = self.asked("region")
        if area is not None and area not in names():
            raise PageRefused(404, "unknown_area")
        if area is None and len(self.reader.regions) == 1 and self.reader.regions != (NATION,):
            area = self.reader.regions[0]
        within = self.reader.within(area)
        if not within:
            is_outside(self.reader, area or "")  # notes it
            raise PageRefused(403, "region_not_yours")
        return area, within

    async def tahaps(self) -> Sequence[str]:
        """All tahaps that were announced, the latest first."""
        return await areas.tahaps(self.reading, self.reader.regions)

    async def tahap(self) -> str | None:
        """The tahap of the path or the address, else the latest; None where none was announced."""
        asked = self.request.path_params.get("tahap") or self.asked("tahap")
        announced = await self.tahaps()
        if asked is None:
            return announced[0] if announced else None
        if not TAHAP.fullmatch(asked) or asked not in announced:
            raise PageRefused(404, "unknown_tahap")
        return asked

    async def pages(self, rows: int) -> Pages:
        """Which page of a list is asked for, by the cursor that the page before gave."""
        return await asked_page(self.request, Response(), self.asked("cursor"), rows)

    def link(self, path: str, **query: str | None) -> str:
        """The address of a page of the console; what is None is left out."""
        given = {name: value for name, value in query.items() if value is not None}
        if any(map(holds_number, given.values())):
            raise PageRefused(422, "number_in_address")
        return f"/console{path}" + (f"?{urlencode(given)}" if given else "")


@dataclass(frozen=True, slots=True)
class Sent:
    """Plain data for a script of a page, as JSON."""

    data: Mapping[str, Any]
    status: int = 200


Show = Callable[[Visit], Awaitable[Shown | Sent | Leads | Download]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `name` is its words' (words/NAME.yaml, of which `title` names it in the menu).

    Whoever holds all of `scopes`, and one of `one_of` where it names any, may see it; with
    `nation` only for all regions. `menu` orders it there, None leaves it out. `act` takes its
    posted form. A `public` page is for anybody, signed in or not: its reader may do nothing by
    themselves, and its scopes say whom the menu leads there.
    """

    name: str
    path: str
    show: Show
    scopes: Sequence[str] = ("projection:read",)
    one_of: Sequence[str] = ()
    nation: bool = False
    menu: int | None = None
    act: Show | None = None
    public: bool = False

    def is_for(self, reader: Principal) -> bool:
        """True where somebody may see it."""
        return self.opens_to(reader) and (not self.nation or reader.may_see(NATION))

    def opens_to(self, reader: Principal) -> bool:
        """True where somebody holds the scopes that it needs, wherever that is."""
        one = not self.one_of or not reader.scopes.isdisjoint(self.one_of)
        return one and reader.scopes.issuperset(self.scopes)
