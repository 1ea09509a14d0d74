"""The time that a group has been behind is told from what was seen of a partition's ends."""

from libs.events.monitoring.group_lag import SIGHTINGS_MAX, Sightings


def test_a_group_that_has_taken_everything_is_not_behind() -> None:
    seen = Sightings()

    assert seen.seconds_behind(end=10, committed=10, now=100.0) == 0


def test_the_clock_starts_when_the_oldest_message_is_seen() -> None:
    seen = Sightings()
    seen.seconds_behind(end=10, committed=10, now=100.0)
    seen.seconds_behind(end=15, committed=10, now=115.0)

    assert seen.seconds_behind(end=20, committed=10, now=130.0) == 15


def test_what_was_taken_meanwhile_no_longer_counts() -> None:
    seen = Sightings()
    seen.seconds_behind(end=15, committed=10, now=115.0)
    seen.seconds_behind(end=20, committed=10, now=130.0)

    assert seen.seconds_behind(end=20, committed=17, now=145.0) == 15
    assert seen.seconds_behind(end=20, committed=20, now=160.0) == 0


def test_a_backlog_that_was_there_first_counts_from_the_first_look() -> None:
    seen = Sightings()

    assert seen.seconds_behind(end=1_000, committed=0, now=100.0) == 0
    assert seen.seconds_behind(end=1_000, committed=0, now=400.0) == 300


def test_a_consumer_that_stands_for_long_costs_no_more_memory() -> None:
    seen = Sightings()

    for look in range(10 * SIGHTINGS_MAX):
        behind = seen.seconds_behind(end=look + 1, committed=0, now=15.0 * look)

    assert behind == 15.0 * (10 * SIGHTINGS_MAX - 1)
    assert len(seen.ends) == SIGHTINGS_MAX
