"""A batch that follows whole is taken at once, as message by message and with the same refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from libs.events.bus import Batch
from libs.events.bus.envelope import Envelopes
from libs.events.consumer.checkpoints import Checkpoint
from libs.events.domain.errors import CorridorError

MOMENT = datetime(2023, 3, 31, tzinfo=UTC)


@dataclass
class Patient(Checkpoint):
    """A place that looks at each message by itself."""

    def _follows(self, envelopes: Envelopes) -> bool:
        return False


def taken(checkpoint: Checkpoint, batch: Batch, envelopes: Envelopes) -> tuple[object, ...]:
    """The result of taking a batch: the messages or the refusal, and where the place is then."""
    try:
        found: object = list(checkpoint.take(batch, envelopes))
    except CorridorError as refusal:
        found = type(refusal), refusal.facts
    return found, checkpoint.epoch, checkpoint.position, checkpoint.moved


def arrived(
    positions: list[int], previous: list[int], epochs: list[str]
) -> tuple[Batch, Envelopes]:
    count = len(positions)
    batch = Batch("purse.v1", 0, range(count), [b"key"] * count, [b"{}"] * count)
    same = [b"id"] * count, ["s"] * count, ["CoinsPutIn"] * count, [1] * count, [b"p"] * count
    return batch, Envelopes(*same, [MOMENT] * count, positions, previous, epochs, [None] * count)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 2, 0, -1]),  # on from the last position
        st.sampled_from([0, 0, 0, 0, 1, -1]),  # beside the last position
        st.sampled_from(["one", "one", "one", "one", "one", "two"]),
    ),
    min_size=1,
    max_size=6,
)


@given(STEPS, st.integers(0, 3), st.sampled_from([None, "one"]))
def test_what_follows_is_taken_as_each_by_itself(
    steps: list[tuple[int, int, str]], begin: int, epoch: str | None
) -> None:
    positions, previous, last = [], [], 2
    for on, beside, _ in steps:
        previous.append(max(0, last + beside))
        last = max(1, last + on)
        positions.append(last)
    batch, envelopes = arrived(positions, previous, [own for _, _, own in steps])

    at_once = taken(Checkpoint(epoch, begin), batch, envelopes)

    assert at_once == taken(Patient(epoch, begin), batch, envelopes)


def test_a_batch_that_follows_whole_is_taken_whole() -> None:
    batch, envelopes = arrived([3, 5, 9], [2, 3, 5], ["one"] * 3)

    assert taken(Checkpoint("one", 2), batch, envelopes) == ([0, 1, 2], "one", 9, True)
    assert Checkpoint("one", 2)._follows(envelopes)


def test_a_message_that_was_sent_once_more_is_counted_and_one_delivered_once_more_is_not() -> None:
    batch, envelopes = arrived([3, 5, 3], [2, 3, 2], ["one"] * 3)
    checkpoint = Checkpoint("one", 2)

    assert list(checkpoint.take(batch, envelopes)) == [0, 1]
    assert (checkpoint.again, checkpoint.again_at, checkpoint.looked_at) == (1, 2, 2)

    assert list(checkpoint.take(batch, envelopes)) == []  # as after a crash behind the commit
    assert (checkpoint.again, checkpoint.again_at) == (1, 2)


def test_what_was_looked_at_before_offsets_were_kept_is_counted_as_nothing() -> None:
    batch, envelopes = arrived([3, 5], [2, 3], ["one"] * 2)
    checkpoint = Checkpoint("one", 5)

    assert list(checkpoint.take(batch, envelopes)) == []
    assert (checkpoint.again, checkpoint.moved) == (0, False)


def test_a_topic_that_was_made_again_begins_its_offsets_again() -> None:
    first, sent = arrived([3, 5, 9], [2, 3, 5], ["one"] * 3)
    checkpoint = Checkpoint("one", 2)
    checkpoint.take(first, sent)
    anew, following = arrived([11], [9], ["one"])

    assert list(checkpoint.take(anew, following)) == [0]
    assert (checkpoint.looked_at, checkpoint.again) == (0, 0)
