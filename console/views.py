"""Views that people keep: a work list with its filters, under a name of theirs.

A view says which rows are asked for and holds none of them; whoever opens it sees of the list what
their regions are then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from libs.chassis.forms import holds_number, is_name

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool

VIEWS_MAX: Final = 50
NAME_CHARACTERS_MAX: Final = 60

_KEEP: Final = """
INSERT INTO console_view (owner, name, list, filters)
SELECT $1, $2, $3, $4
WHERE (SELECT count(*) FROM console_view WHERE owner = $1 AND name <> $2) < $5
ON CONFLICT (owner, name) DO UPDATE SET list = excluded.list, filters = excluded.filters
RETURNING 1
"""


class ViewRefused(Exception):
    """A view that is not kept; the text is one fixed word."""


@dataclass(frozen=True, slots=True)
class View:
    """A list and its filters, under somebody's name for it."""

    name: str
    list: str
    filters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Views:
    """The views of one person."""

    pool: Pool
    owner: str

    async def all(self) -> list[View]:
        """All of them, in order of their names."""
        rows = await self.pool.fetch(
            "SELECT name, list, filters FROM console_view WHERE owner = $1 ORDER BY name",
            self.owner,
        )
        return [View(row["name"], row["list"], msgspec.json.decode(row["filters"])) for row in rows]

    async def keep(self, view: View) -> None:
        """Keep one, in place of a former one of its name; raises `ViewRefused`."""
        name = view.name
        if not name or len(name) > NAME_CHARACTERS_MAX or not is_name(name) or holds_number(name):
            raise ViewRefused("view_name")
        filters = msgspec.json.encode(view.filters).decode()
        stored = await self.pool.fetchval(_KEEP, self.owner, name, view.list, filters, VIEWS_MAX)
        if stored is None:
            raise ViewRefused("views_full")

    async def drop(self, name: str) -> None:
        """Keep one no more."""
        await self.pool.execute(
            "DELETE FROM console_view WHERE owner = $1 AND name = $2", self.owner, name
        )
