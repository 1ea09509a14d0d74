"""Access lists of Kafka are those of the rights, and nothing is given beside them."""

from __future__ import annotations

from libs.chassis.catalogue import catalogue
from libs.chassis.migrations import kafka_rights
from libs.events.bus.kafka_access import Entry, Pattern, Resource, entries
from libs.events.bus.rights import Rights

OTHERS = 10


def test_who_sends_and_reads_gets_an_entry_for_each_and_its_group_alone() -> None:
    found = entries([Rights("pkh_purses", ["purse"], ["roster"], "purses")])

    assert {str(entry) for entry in found} == {
        "User:pkh_purses write topic purse (literal)",
        "User:pkh_purses read topic purse (literal)",
        "User:pkh_purses read topic roster (literal)",
        "User:pkh_purses read group purses (literal)",
        "User:pkh_purses read group purses- (prefixed)",
    }


def test_who_only_sends_is_in_no_group() -> None:
    found = entries([Rights("pkh_purses", ["purse"])])

    assert {entry.resource for entry in found} == {Resource.topic}


def test_no_entry_is_a_wildcard_and_the_roster_has_its_two_readers() -> None:
    found = entries(kafka_rights(catalogue()))

    assert not [entry for entry in found if "*" in entry.name or not entry.name.strip("-")]
    assert {entry.principal for entry in found if entry.name == "pkh.registry.roster.v1"} == {
        *("User:pkh_registry", "User:pkh_conditionality", "User:pkh_payments")
    }
    assert {entry.pattern for entry in found if entry.resource == Resource.topic} == {
        Pattern.literal
    }


def test_what_somebody_else_entered_is_told_by_its_number() -> None:
    entry = Entry("User:friend", Resource.topic, "*", Pattern.literal, OTHERS)

    assert str(entry) == "User:friend 10 topic * (literal)"
