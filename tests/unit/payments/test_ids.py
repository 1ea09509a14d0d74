from uuid import UUID

import pytest

from services.payments import contract
from services.payments.domain.shared import ids
from services.payments.domain.shared.errors import Malformed
from tests.unit.payments.kit import FAMILY, NEIGHBOUR, TAHAP


def test_a_payments_id_is_written_on_disk_and_never_changes() -> None:
    assert ids.payment_id(TAHAP, FAMILY) == "e210d377-df3c-55c3-9b32-07495c3043a2"


def test_a_payments_id_depends_on_tahap_family_and_kind_alone() -> None:
    others = {
        ids.payment_id(TAHAP, FAMILY),
        ids.payment_id("2023-2", FAMILY),
        ids.payment_id(TAHAP, NEIGHBOUR),
        ids.payment_id(TAHAP, FAMILY, "SUPPLEMENTARY-1"),
        ids.payment_id(TAHAP, FAMILY, "CORRECTION-1"),
    }

    assert len(others) == 5
    assert {UUID(each).version for each in others} == {5}


def test_the_case_of_a_familys_id_does_not_make_another_payment() -> None:
    assert ids.payment_id(TAHAP, FAMILY.upper()) == ids.payment_id(TAHAP, FAMILY)


@pytest.mark.parametrize("kind", ["REGULAR", "SUPPLEMENTARY-1", "SUPPLEMENTARY-12", "CORRECTION-3"])
def test_the_kinds_of_a_payment(kind: str) -> None:
    assert ids.checked_kind(kind) == kind


@pytest.mark.parametrize("kind", ["", "regular", "SUPPLEMENTARY", "SUPPLEMENTARY-0", "REGULAR-1"])
def test_no_other_kind(kind: str) -> None:
    with pytest.raises(Malformed):
        ids.checked_kind(kind)


def test_documents_and_files_carry_the_run_in_their_names() -> None:
    run = (TAHAP, "SUPPLEMENTARY-1")

    assert ids.request_id(*run) == "SPP-2023-1-SUPPLEMENTARY-1"
    assert ids.order_id(*run) == "SPM-2023-1-SUPPLEMENTARY-1"
    assert ids.request_id(*run, revision=2) == "SPP-2023-1-SUPPLEMENTARY-1-R2"
    assert ids.order_id(*run, revision=12) == "SPM-2023-1-SUPPLEMENTARY-1-R12"
    assert ids.of_order(ids.order_id(*run)) == ""
    assert ids.of_order(ids.order_id(*run, revision=12)) == "-R12"
    assert ids.file_id(*run, None, 1, "K3Q") == "2023-1-SUPPLEMENTARY-1-CHECK-1-K3Q"
    assert ids.file_id(*run, None, 2, "K3Q") == "2023-1-SUPPLEMENTARY-1-R2-CHECK-1-K3Q"
    assert ids.file_id(*run, "MANDIRI", 1, "K3Q") == "2023-1-SUPPLEMENTARY-1-MANDIRI-1-K3Q"
    assert contract.TAHAP.stream(TAHAP) == "tahap-2023-1"
    assert contract.RUN.stream(*run) == "run-2023-1-SUPPLEMENTARY-1"
    assert contract.PAYMENT.stream("x") == "payment-x"


def test_a_person_is_claimed_once_for_regular_and_supplementary_runs() -> None:
    regular = ids.paid_person(TAHAP, "REGULAR", "token")

    assert ids.paid_person(TAHAP, "SUPPLEMENTARY-2", "token") == regular
    assert ids.paid_person(TAHAP, "CORRECTION-1", "token") != regular
    assert ids.paid_person("2023-2", "REGULAR", "token") != regular
    assert ids.paid_person(TAHAP, "REGULAR", "other") != regular
    assert ids.paid_person(TAHAP, "REGULAR", "token", 1) == regular
    assert ids.paid_person(TAHAP, "REGULAR", "token", 2) != regular
