"""Messages of a topic's owner, told from whatever else stands on the topic.

Whoever may write on a topic can put anything there. What the owner's relay could not have written
is malformed: it has no place in the owner's log, so it moves no position and holds up nothing.
On a topic that somebody outside writes, what none of its registered writers could have written is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from operator import lt
from typing import Final

import msgspec
from msgspec import Struct

from libs.events.bus import Batch, Record
from libs.events.bus.envelope import (
    EnvelopeMalformed,
    Envelopes,
    parse_all,
    type_prefix,
)
from libs.events.bus.inbound import parse_unlogged
from libs.events.bus.partition import partition_of
from libs.events.bus.topics import Topics, is_inbound

KEY_BYTES_MAX: Final = 1_000
"""The largest key; a parked message's key stands in an index, whose rows end at 2,700 bytes."""

_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,99}\.v[1-9][0-9]{0,3}")

_check_json = msgspec.json.Decoder(msgspec.Raw).decode


class ParsedBatch(Struct, frozen=True):
    """The messages of a batch with their envelopes, and what is wrong with its other records."""

    batch: Batch
    envelopes: Envelopes | None
    malformed: Sequence[tuple[Record, EnvelopeMalformed]] = ()


def parse_each(batch: Batch, topics: Topics) -> ParsedBatch:
    """The messages of a batch, and each of its malformed records with what is wrong."""
    with contextlib.suppress(EnvelopeMalformed):
        return ParsedBatch(batch, parse_own(batch, topics))
    good: list[int] = []
    malformed: list[tuple[Record, EnvelopeMalformed]] = []
    for index in range(len(batch)):
        try:
            parse_own(batch.part(index, index + 1), topics)
            good.append(index)
        except EnvelopeMalformed as error:
            malformed.append((batch.record(index), error))
    left = batch.only(good)
    return ParsedBatch(left, _envelopes(left) if good else None, malformed)


def _envelopes(batch: Batch) -> Envelopes:
    return parse_unlogged(batch) if is_inbound(batch.topic) else parse_all(batch)


def parse_own(batch: Batch, topics: Topics) -> Envelopes:
    """The envelopes of a batch that the topic's owner, or who is registered for it, has written.

    Raises `EnvelopeMalformed` that says what of it cannot be the owner's, and never the value.
    """
    envelopes = _envelopes(batch)
    if reason := _foreign(batch, envelopes, topics):
        location = {"topic": batch.topic, "partition": batch.partition, "offset": batch.offsets[0]}
        raise EnvelopeMalformed(**location, reason=reason)
    return envelopes


def _foreign(batch: Batch, envelopes: Envelopes, topics: Topics) -> str | None:
    """The first part of a batch that is not the owner's; None where all of it is."""
    column = dict(zip(batch.header_names, batch.header_values, strict=True))
    prefix = type_prefix(topics.namespace, batch.topic)[0].encode()
    if not {*envelopes.sources} <= topics.sources(batch.topic):
        return "source"
    if not all(_is_type(kind, prefix) for kind in {*column["ce_type"]}):
        return "type"
    if is_inbound(batch.topic):
        # A newer version stops whoever reads an owner's log; nobody outside is let to.
        if {*envelopes.majors} != {int(batch.topic.rpartition(".v")[2])}:
            return "type"
    elif reason := _unlogged(envelopes, column):
        return reason
    if not _are_keys(batch.keys, batch.partition, topics.partitions[batch.topic]):
        return "key"
    return None if _are_json(batch.values) else "value"


def _unlogged(envelopes: Envelopes, column: Mapping[str, Sequence[bytes]]) -> str | None:
    """The first part of a batch that no log gives its messages; None where all of it is given."""
    if not all(map(lt, envelopes.previous, envelopes.positions)):
        return "previous"
    named = zip(column["ce_epoch"], column["ce_position"], strict=True)
    if list(envelopes.ids) != [epoch + b"-" + position for epoch, position in named]:
        return "id"
    return None


def _is_type(value: bytes, prefix: bytes) -> bool:
    rest = value.removeprefix(prefix)
    return rest != value and rest.isascii() and _TYPE.fullmatch(rest.decode()) is not None


def _are_keys(keys: Sequence[bytes | None], partition: int, count: int) -> bool:
    there = [key for key in keys if key is not None]
    return (
        len(there) == len(keys)
        and max(map(len, there)) <= KEY_BYTES_MAX
        and b"\0" not in b"".join(there)
        and _are_texts(there)
        and {partition_of(key, count) for key in there} == {partition}
    )


def _are_json(values: Sequence[bytes]) -> bool:
    try:
        for value in values:
            _check_json(value)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return _are_texts(values)


def _are_texts(values: Sequence[bytes]) -> bool:
    try:
        return b"".join(values).isascii() or all(value.decode() is not None for value in values)
    except UnicodeDecodeError:
        return False
