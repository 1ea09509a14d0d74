"""Days of a person's life: what is stored of them, and what a fold without any key comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import pytest

from libs.events.domain.decider import Decider
from libs.events.domain.personal import NEVER, DaysClosed, PersonalDay, unopened
from libs.events.store.codec import Codec
from libs.events.store.model import Message, StreamType, encode
from libs.events.store.refolding import difference

DAY = date(2016, 12, 17)
STORED = "s1.1.text-that-a-key-opens"
SEALED = PersonalDay.of(DAY, STORED)


@dataclass(frozen=True, slots=True)
class Born:
    on: PersonalDay
    due: PersonalDay | None = None


def nothing(_event: Born, _state: Born) -> Message | None:
    return None


def folded(state: Born, event: Born) -> Born:
    return Born(event.on, state.on)


KIND: StreamType[Born, Born, Born] = StreamType(
    name="person",
    decider=Decider(Born(PersonalDay.in_clear(date(2000, 1, 1))), lambda c, _: [c], folded),
    events={"Born": Born},
    publish=nothing,
    snapshot=(Born, 1),
)
CODEC = Codec(KIND)


def opens(stored: str) -> date:
    assert stored == STORED
    return DAY


def test_the_domain_sees_a_date_and_the_log_keeps_what_a_key_opens() -> None:
    name, version, data = CODEC.encode_event(Born(SEALED))

    assert data == b'{"on":"s1.1.text-that-a-key-opens","due":null}'
    read = CODEC.decode_event(name, version, data, opens)
    assert (read.on, read.on.stored) == (DAY, STORED)
    assert (SEALED, SEALED.clear) == (DAY, DAY)


def test_a_day_of_before_days_were_sealed_stays_as_it_was_stored() -> None:
    text = '{"on":"2016-12-17","due":null}'

    state = CODEC.decode_state(text, 1)

    assert state is not None
    assert state.on == DAY
    assert CODEC.encode_state(state) == text


@pytest.mark.parametrize("stored", ["17 December", "2016-13-01", ""])
def test_a_text_that_is_no_day_is_not_read(stored: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        CODEC.decode_event("Born", 1, encode({"on": stored}))


def test_who_has_no_key_reads_no_day() -> None:
    with pytest.raises(DaysClosed):
        CODEC.decode_event(*CODEC.encode_event(Born(SEALED)))


def test_a_day_leaves_the_service_only_where_somebody_says_so() -> None:
    with pytest.raises(TypeError):
        encode(Born(SEALED))


def test_a_day_that_was_counted_on_from_a_sealed_one_is_stored_by_nobody() -> None:
    with pytest.raises(AttributeError):
        CODEC.encode_event(Born(SEALED.replace(year=2017)))


def test_a_fold_carries_days_on_that_nothing_opens() -> None:
    """So streams are folded again by who has no key, also when that is destroyed."""
    name, version, data = CODEC.encode_event(Born(SEALED))
    state = KIND.decider.evolve(KIND.decider.initial, Born(SEALED))
    rows: list[Any] = [("person-1", 1, name, version, data, None)]

    assert difference(CODEC, (CODEC.encode_state(state), 1), rows) is None
    [on] = [CODEC.decode_event(name, version, data, unopened).on]
    assert (on, on.lost, SEALED.lost) == (NEVER, True, False)


def test_the_last_day_of_all_is_not_lost_where_it_was_stored_in_clear() -> None:
    assert not PersonalDay.in_clear(NEVER).lost
