"""Lists over HTTP, page by page: `?cursor=&limit=`, answered {items, next} and a Link rel=next.

    @router.get("/purses")
    async def purses(store: StoreOf, reader: Reader, paging: Paging) -> Page[Purse]:
        rows = await views.purses(store, after=paging.after(str), limit=paging.rows)
        found, following = paging.cut(rows, lambda row: row["purse"])
        return Page[Purse](items=[Purse(**row) for row in found], next=following)

A cursor is the key of the last item, so that a page costs the same wherever it lies and nothing is
skipped or shown twice while the list grows. It is signed (HMAC-SHA256 by PKH_CURSOR_KEY_FILE) with
its list and filters, so that no database is asked for a key that no list ever gave.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from libs.chassis.problems import Refusal

ITEMS: Final = 100
ITEMS_MAX: Final = 1_000
CURSOR_CHARACTERS_MAX: Final = 512
_SIGNATURE_BYTES: Final = 16
_OF_THE_PAGE: Final = ("cursor", "limit")

T = TypeVar("T")
K = TypeVar("K")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    """A page of a list, in the list's order."""

    items: list[T]
    next: str | None = Field(
        description="The cursor of the page behind this one; null behind the last item.",
        examples=[None],
    )

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The name in the interface's description: PageOfPurse."""
        return f"PageOf{params[0].__name__}"


class StreamPage(Page[T], Generic[T]):
    """A page whose items are read from streams, each by itself.

    `unreadable` names those of this page of which what is stored cannot be read, and which stand
    not among the items; operations find why in the log.
    """

    unreadable: list[UUID] = []


@dataclass(frozen=True, slots=True)
class Pages:
    """Which page of a list is asked for."""

    request: Request
    response: Response
    limit: int
    key: bytes | None

    @property
    def rows(self) -> int:
        """The rows to read: one more than the page holds tells if another follows."""
        return self.limit + 1

    def after(self, kind: type[K]) -> K | None:
        """The key that the page begins behind, None for the first page."""
        if self.key is None:
            return None
        try:
            key = msgspec.json.decode(self.key, type=kind)
        except msgspec.DecodeError:
            raise foreign() from None
        return key

    def cut(self, rows: Sequence[R], key: Callable[[R], object]) -> tuple[Sequence[R], str | None]:
        """The rows of this page, and the cursor of the next one, which is linked to as well."""
        if len(rows) <= self.limit:
            return rows, None
        last = msgspec.json.encode(key(rows[self.limit - 1]))
        cursor = _text(_signature(self.request, last) + last)
        query = [(n, v) for n, v in self.request.query_params.multi_items() if n != "cursor"]
        target = urlencode([*query, ("cursor", cursor)])
        self.response.headers["Link"] = f'<?{target}>; rel="next"'
        return rows[: self.limit], cursor


async def asked_page(
    request: Request,
    response: Response,
    cursor: Annotated[
        str | None,
        Query(
            max_length=CURSOR_CHARACTERS_MAX,
            description="`next` of the page before; left out for the first page.",
        ),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=ITEMS_MAX, description="How many items a page holds at most.")
    ] = ITEMS,
) -> Pages:
    """Which page is asked for; 400 where the cursor is none that this list gave."""
    if cursor is None:
        return Pages(request, response, limit, None)
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise foreign() from None
    signature, key = decoded[:_SIGNATURE_BYTES], decoded[_SIGNATURE_BYTES:]
    signed = hmac.compare_digest(signature, _signature(request, key))
    if not signed or _text(decoded) != cursor:
        raise foreign()
    return Pages(request, response, limit, key)


Paging = Annotated[Pages, Depends(asked_page)]


def foreign() -> Refusal:
    """The refusal of a cursor that this list never gave."""
    return Refusal(400, "cursor-foreign", "This list, as it is asked for, gave no such cursor.")


def _signature(request: Request, key: bytes) -> bytes:
    filters = sorted(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in _OF_THE_PAGE
    )
    state = request.app.state
    whose = msgspec.json.encode([state.name, request.url.path, filters])
    secret: bytes = state.settings.cursor_key
    return hmac.digest(secret, whose + b"\n" + key, hashlib.sha256)[:_SIGNATURE_BYTES]


def _text(cursor: bytes) -> str:
    return base64.urlsafe_b64encode(cursor).rstrip(b"=").decode()
