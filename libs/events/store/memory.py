"""A store in memory with the same promises, to run whole services' domains in a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from libs.events.domain.decider import C, E, S
from libs.events.store.codec import codec_of
from libs.events.store.handle import Draft, Loaded, Move
from libs.events.store.model import Context, StreamType


@dataclass(frozen=True, slots=True)
class Stored:
    """One event as it was stored, with its gapless position."""

    position: int
    stream_id: str
    version: int
    draft: Draft


@dataclass
class MemoryStore:
    """Streams, claims and one log. `log` is in position order; its messages are in the drafts."""

    log: list[Stored] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    claims: dict[tuple[str, str], str] = field(default_factory=dict)

    @asynccontextmanager
    async def transaction(self, context: Context) -> AsyncIterator[MemoryStore]:
        """All of it or nothing, as in PostgreSQL; one at a time."""
        log, versions, claims = list(self.log), dict(self.versions), dict(self.claims)
        try:
            yield self
        except BaseException:
            self.log, self.versions, self.claims = log, versions, claims
            raise

    async def load(
        self, kind: StreamType[C, S, E], stream_ids: Sequence[str], cut: int | None = None
    ) -> Mapping[str, Loaded[S]]:
        """The streams that exist among `stream_ids`, and what they were at a cut."""
        codec, decider = codec_of(kind), kind.decider
        wanted = {stream_id for stream_id in stream_ids if stream_id in self.versions}
        states: dict[str, Any] = dict.fromkeys(wanted, decider.initial)
        earlier: dict[str, Any] = dict.fromkeys(wanted, decider.initial)
        for stored in self.log:
            if stored.stream_id not in wanted:
                continue
            draft = stored.draft
            event = codec.decode_event(draft.type, draft.schema_version, draft.data)
            states[stored.stream_id] = decider.evolve(states[stored.stream_id], event)
            if cut is None or stored.position <= cut:
                earlier[stored.stream_id] = states[stored.stream_id]
        return {i: Loaded(self.versions[i], states[i], earlier[i]) for i in wanted}

    async def append(self, moves: Sequence[Move]) -> set[str]:
        """Append what wins its compare-and-set; answers the ids that won."""
        won: set[str] = set()
        for move in moves:
            if self.versions.get(move.stream_id, 0) != move.expected:
                continue
            for offset, draft in enumerate(move.drafts, start=1):
                stored = Stored(len(self.log) + 1, move.stream_id, move.expected + offset, draft)
                self.log.append(stored)
            self.versions[move.stream_id] = move.expected + len(move.drafts)
            won.add(move.stream_id)
        return won

    async def claim(self, kind: str, wanted: Mapping[str, str]) -> dict[str, str]:
        """Claim tokens for streams, first come first served; answers each token's owner."""
        return {t: self.claims.setdefault((kind, t), stream) for t, stream in wanted.items()}
