"""Messages that somebody outside writes: a CloudEvent by its headers, without a log behind it.

No store gave such a message its place, so its offset does: positions are offsets and one. There is
no message before it to name and nothing that could be missing. What makes one partition another,
after its topic was deleted and made anew, is its first record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from libs.events.bus import Batch
from libs.events.bus.envelope import (
    EnvelopeMalformed,
    Envelopes,
    columns_of,
    kind_of,
    moment_of,
    text_of,
    trace_of,
)

ID_BYTES_MAX: Final = 200
ID: Final = re.compile(rb"[!-~]{1,%d}" % ID_BYTES_MAX)


def parse_unlogged(batch: Batch) -> Envelopes:
    """The envelopes of a batch from outside. Raises `EnvelopeMalformed`, as `parse_all` does."""
    try:
        return _parsed(batch, columns_of(batch))
    except KeyError as missing:
        raise EnvelopeMalformed(header=missing.args[0], offset=batch.offsets[0]) from None
    except (ValueError, IndexError, OverflowError):
        raise EnvelopeMalformed(
            topic=batch.topic, partition=batch.partition, offset=batch.offsets[0]
        ) from None


def _parsed(batch: Batch, columns: Mapping[str, Sequence[bytes]]) -> Envelopes:
    count = len(batch)
    kinds = [kind_of(kind) for kind in columns["ce_type"]]
    positions = [offset + 1 for offset in batch.offsets]
    ids = columns["ce_id"]
    if not all(map(ID.fullmatch, ids)):
        raise ValueError
    return Envelopes(
        ids=ids,
        sources=[text_of(source) for source in columns["ce_source"]],
        types=[name for name, _ in kinds],
        majors=[major for _, major in kinds],
        subjects=[b""] * count,  # it is of no stream of ours, and might be a person's number
        times=[moment_of(moment) for moment in columns["ce_time"]],
        positions=positions,
        previous=[0, *positions[:-1]],
        epochs=[""] * count,
        traces=[trace_of(trace) for trace in columns.get("traceparent", [b""] * count)],
    )
