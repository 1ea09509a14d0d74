"""The erasure of one family: two people, no money under way, and once for all."""

from __future__ import annotations

import pytest

from libs.events.domain.decider import Decider
from services.registry.contract import (
    ERASURE,
    FAMILY_TOPIC,
    ROSTER_TOPIC,
    ErasureApproved,
    publish_erasure,
)
from services.registry.domain import erasure as erasures
from services.registry.domain.erasure import (
    KEY_WAS_DESTROYED,
    ApproveErasure,
    CarryOut,
    Command,
    EraseAgain,
    ErasureProposed,
    Event,
    FamilyErased,
    MoneyUnderWay,
    NotAsked,
    ProposeErasure,
    erasure,
)
from services.registry.domain.evidence import EvidenceMalformed
from services.registry.domain.family.errors import SamePerson
from services.registry.domain.listing.decider import NothingProposed
from tests.unit.registry.families import FAMILY_ID

PROPOSE = ProposeErasure(FAMILY_ID, "SUBJECT_REQUEST", "BA-12/DINSOS/2023", "ana")
APPROVE = ApproveErasure("budi", ())
PROPOSED = ErasureProposed(FAMILY_ID, "SUBJECT_REQUEST", "BA-12/DINSOS/2023", "ana")
APPROVED = erasures.ErasureApproved(FAMILY_ID, "SUBJECT_REQUEST", "ana", "budi")
ERASED = FamilyErased(FAMILY_ID)
DECIDER: Decider[Command, erasures.Erasure, Event] = erasure


def decided(command: Command, *past: Event) -> list[Event]:
    """The events of a command behind some that were before."""
    return list(DECIDER.decide(command, DECIDER.fold(past)))


def test_a_person_proposes_on_a_ground_and_another_one_approves() -> None:
    assert decided(PROPOSE) == [PROPOSED]
    assert decided(APPROVE, PROPOSED) == [APPROVED]
    assert decided(CarryOut(), PROPOSED, APPROVED) == [ERASED]


def test_who_proposed_an_erasure_does_not_approve_it() -> None:
    with pytest.raises(SamePerson):
        decided(ApproveErasure("ana", ()), PROPOSED)


def test_nothing_is_approved_that_nobody_proposed() -> None:
    with pytest.raises(NothingProposed):
        decided(APPROVE)


def test_a_family_whose_money_is_under_way_is_not_erased() -> None:
    blocked = ApproveErasure("budi", (("2023-1", "BLOCKED"), ("2023-2", "IN_A_BANKS_FILE")))

    with pytest.raises(MoneyUnderWay) as refused:
        decided(blocked, PROPOSED)

    assert refused.value.facts == {"tahap": "2023-1", "why": "BLOCKED", "payments": 2}


@pytest.mark.parametrize("evidence", ["6103014101700001", "NIK-6103014101700001"])
def test_evidence_that_could_be_a_persons_number_is_refused_and_not_repeated(evidence: str) -> None:
    with pytest.raises(EvidenceMalformed) as refused:
        decided(ProposeErasure(FAMILY_ID, "SUBJECT_REQUEST", evidence, "ana"))

    assert evidence not in str(refused.value)


@pytest.mark.parametrize("command", [PROPOSE, APPROVE, CarryOut(), EraseAgain(FAMILY_ID)])
def test_what_is_erased_stays_erased_and_is_erased_once(command: Command) -> None:
    assert decided(command, PROPOSED, APPROVED, ERASED) == []


def test_an_approval_that_comes_again_is_quiet() -> None:
    assert decided(APPROVE, PROPOSED, APPROVED) == []


def test_a_key_is_not_noted_as_destroyed_before_two_people_have_agreed() -> None:
    assert decided(CarryOut(), PROPOSED) == []


def test_an_erasure_that_the_log_has_lost_is_written_again_without_its_people() -> None:
    again = [erasures.ErasureApproved(FAMILY_ID, KEY_WAS_DESTROYED, "", ""), ERASED]

    assert decided(EraseAgain(FAMILY_ID)) == again
    assert decided(EraseAgain(FAMILY_ID), PROPOSED) == again
    assert decided(EraseAgain(FAMILY_ID), PROPOSED, APPROVED) == [ERASED]


def test_others_are_told_of_the_family_alone_and_of_a_proposal_nothing() -> None:
    messages = [publish_erasure(event, NotAsked()) for event in (PROPOSED, APPROVED, ERASED)]

    assert messages[0] is None
    assert [(each.topic, each.key) for each in messages if each] == [
        (ROSTER_TOPIC, FAMILY_ID),
        (FAMILY_TOPIC, FAMILY_ID),
    ]
    assert messages[1] is not None
    assert messages[1].data == ErasureApproved(FAMILY_ID)
    assert set(ERASURE.events) == {"ErasureProposed", "ErasureApproved", "FamilyErased"}
