"""Events, states and messages to text and back, per kind of stream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import Any, Final, Generic, get_args

import msgspec

from libs.events.domain.decider import C, E, S
from libs.events.domain.errors import UnknownEvent
from libs.events.domain.personal import Opens, PersonalDay, closed
from libs.events.store.model import StreamType

DATA_AS_STORED = b"true"
"""The text stored for a message whose data is the event's own, so that it is kept once."""
_UNION_SNAPSHOT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""A snapshot of a kind whose state is a union: one state, beside the name of its type."""


def _stored(value: Any) -> str:
    """The text of a day; anything else is nothing that an event may hold."""
    if isinstance(value, PersonalDay):
        return value.stored
    raise TypeError(type(value).__name__)


_encode: Final = msgspec.json.Encoder(order="deterministic", enc_hook=_stored).encode


class Codec(Generic[C, S, E]):
    """Encoders and decoders of one kind of stream, built once."""

    def __init__(self, kind: StreamType[C, S, E]) -> None:
        self.kind = kind
        self.publish = kind.publish
        self._opens: Opens = closed
        self._decoders: Mapping[str, msgspec.json.Decoder[Any]] = {
            name: self._decoder(event) for name, event in kind.events.items()
        }
        self._names: dict[type[E], tuple[str, int]] = {}
        state_type = kind.snapshot[0] if kind.snapshot else None
        self.shape = kind.snapshot[1] if kind.snapshot else None
        union = get_args(state_type) if isinstance(state_type, UnionType) else ()
        single = None if union else state_type
        self._state = None if single is None else self._decoder(single)
        self._union: Mapping[str, msgspec.json.Decoder[Any]] = {
            step.__name__: self._decoder(step) for step in union
        }

    def _decoder(self, form: Any) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(form, dec_hook=self._read)

    def _read(self, _: type[Any], stored: Any) -> PersonalDay:
        if not isinstance(stored, str):
            raise TypeError("A day is stored as text")
        return PersonalDay.read(stored, self._opens)

    def encode_event(self, event: E) -> tuple[str, int, bytes]:
        """(stored type name, schema version, JSON in UTF-8)."""
        name, version = self._names.get(type(event)) or self._name_and_version(event)
        return name, version, _encode(event)

    def _name_and_version(self, event: E) -> tuple[str, int]:
        name = self.kind.name_of(event)
        if name not in self._decoders:
            raise UnknownEvent(stream_type=self.kind.name, type=name)
        found = self._names[type(event)] = name, self.kind.versions.get(name, 1)
        return found

    def decode_event(
        self, name: str, schema_version: int, data: str | bytes, opens: Opens = closed
    ) -> E:
        """The event as today's code knows it, lifted by upcasters where it is older."""
        self._opens = opens  # nothing else runs until it is decoded
        current = self.kind.versions.get(name, 1)
        decoder = self._decoders.get(name)
        if decoder is None or schema_version > current:
            raise UnknownEvent(stream_type=self.kind.name, type=name, version=schema_version)
        if schema_version == current:
            return decoder.decode(data)  # type: ignore[no-any-return]  # typed by kind.events
        lifted = msgspec.json.decode(data)
        for version in range(schema_version, current):
            lifted = self.kind.upcasters[name, version](lifted)
        form = self.kind.events[name]
        return msgspec.convert(lifted, form, dec_hook=self._read)  # type: ignore[no-any-return]  # as above

    def encode_state(self, state: S) -> str | None:
        """The snapshot's text; None where this kind keeps none."""
        if self.shape is None:
            return None
        return _encode({type(state).__name__: state} if self._union else state).decode()

    def decode_state(self, text: str | None, shape: int | None, opens: Opens = closed) -> S | None:
        """The snapshot's state; None where there is none of today's shape."""
        if text is None or shape is None or shape != self.shape:
            return None
        self._opens = opens
        if self._state is not None:
            return self._state.decode(text)  # type: ignore[no-any-return]  # typed by kind
        [(name, state)] = _UNION_SNAPSHOT.decode(text).items()
        return self._union[name].decode(state)  # type: ignore[no-any-return]  # as above


@lru_cache(maxsize=256)
def codec_of(kind: StreamType[C, S, E]) -> Codec[C, S, E]:
    """The codec of a kind of stream; kinds are module constants, so there are few."""
    return Codec(kind)
