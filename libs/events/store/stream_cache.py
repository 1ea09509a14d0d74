"""Streams as a process left them, so that its next commands need not read them first.

What is decided on them is written only where they still stand so, and then they were right. A
refusal, or an answer that writes nothing, has no such proof and takes a stream that was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from libs.events.store.handle import Loaded
from libs.events.store.model import StreamType

if TYPE_CHECKING:
    from libs.events.store.grouped_commands import GroupedStream, Waiting

STREAMS_MAX: Final = 4_096

Kind = StreamType[Any, Any, Any]


class StreamCache:
    """The streams that were moved or read last, of one epoch of a store."""

    def __init__(self, streams_max: int = STREAMS_MAX) -> None:
        self._streams_max = streams_max
        self._streams: dict[tuple[Kind, str], Loaded[Any]] = {}  # the longest untouched is first
        self.epoch = ""

    def find(self, waiting: Sequence[Waiting]) -> dict[str, Loaded[Any]] | None:
        """The streams of these commands; None if one is not here, since all are read at once."""
        found: dict[str, Loaded[Any]] = {}
        for command in waiting:
            stream_id = command.grouped.stream_id
            stream = self._streams.get((command.grouped.kind, stream_id))
            if stream is None:
                return None
            found[stream_id] = stream
        return found

    def read(
        self, epoch: str, kinds: Mapping[str, Kind], loaded: Mapping[str, Loaded[Any]]
    ) -> None:
        """Keep what was read in an epoch of the store; of another one nothing stays."""
        if epoch != self.epoch:
            self._streams.clear()
            self.epoch = epoch
        for stream_id, stream in loaded.items():
            self._keep(kinds[stream_id], stream_id, stream)

    def moved(self, streams: Mapping[str, GroupedStream]) -> None:
        """Keep what was written."""
        for stream_id, stream in streams.items():
            left = Loaded(stream.version, stream.state, stream.state)
            self._keep(stream.kind, stream_id, left)

    def _keep(self, kind: Kind, stream_id: str, stream: Loaded[Any]) -> None:
        self._streams.pop((kind, stream_id), None)
        self._streams[kind, stream_id] = stream
        if len(self._streams) > self._streams_max:
            del self._streams[next(iter(self._streams))]
