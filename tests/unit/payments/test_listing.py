from dataclasses import replace
from hashlib import sha256

import pytest

from services.payments.domain.entitlement import Component, Cut
from services.payments.domain.listing import (
    Digest,
    ListLine,
    OrderLine,
    list_digest,
    order_digest,
)
from services.payments.domain.shared.errors import Malformed, OutOfOrder
from tests.unit.payments.kit import FAMILY, NEIGHBOUR, PAYMENT, of

LINE = ListLine(
    family=FAMILY,
    outcome="LISTED",
    region="61.03.01.2026",
    components=(Component("EARLY_CHILD", 1), Component("SD", 2)),
    amount=1_200_000,
    payee_valid=True,
    source="8c1f0e2d3b4a5968",
    cut=Cut(120_000, 10, 3),
)
GRADUATED = ListLine(NEIGHBOUR, "GRADUATED_NATURAL", "61.03.01.2026", (), 0, False, "0" * 16)


def hashed(*lines: ListLine) -> Digest:
    digest = list_digest("2023-1", "REGULAR", "2021-2024")
    for line in lines:
        digest.add(line)
    return digest


def test_the_hash_is_that_of_the_documented_text() -> None:
    text = (
        "# list-2|2023-1|REGULAR|2021-2024\n"
        f"{FAMILY}|LISTED|61.03.01.2026|EARLY_CHILD:1;SD:2|1200000|120000|3|Y|8c1f0e2d3b4a5968\n"
        f"{NEIGHBOUR}|GRADUATED_NATURAL|61.03.01.2026||0|0|0|N|0000000000000000\n"
    )

    assert hashed(LINE, GRADUATED).hash() == sha256(text.encode()).hexdigest()


def test_the_order_of_payments_is_hashed_by_its_own_text() -> None:
    digest = order_digest("2023-1", "REGULAR")
    digest.add(OrderLine(PAYMENT, "BNI", 1_350_000))

    text = f"# order|2023-1|REGULAR\n{PAYMENT}|BNI|1350000\n"
    assert digest.hash() == sha256(text.encode()).hexdigest()
    assert digest.totals == of(1, 1_350_000)


def test_control_totals_count_families_to_be_paid_and_not_graduated_ones() -> None:
    assert hashed(LINE, GRADUATED).totals == of(1, 1_200_000)


def test_a_hash_can_be_asked_for_between_lines() -> None:
    digest = hashed(LINE)
    first = digest.hash()
    digest.add(GRADUATED)

    assert first == hashed(LINE).hash() != digest.hash()


@pytest.mark.parametrize(
    "changed",
    [
        replace(LINE, amount=1_200_001),
        replace(LINE, payee_valid=False),
        replace(LINE, cut=Cut(0, 10, 3)),
        replace(LINE, cut=Cut(120_000, 10, 4)),
        replace(LINE, outcome="GRADUATED_NATURAL"),
        replace(LINE, region="61.03.01.2027"),
        replace(LINE, components=(Component("EARLY_CHILD", 2), Component("SD", 1))),
        replace(LINE, source="8c1f0e2d3b4a5969"),
        replace(LINE, family=NEIGHBOUR),
    ],
)
def test_any_changed_field_changes_the_hash(changed: ListLine) -> None:
    assert hashed(changed).hash() != hashed(LINE).hash()


def test_another_tahap_kind_or_policy_changes_the_hash() -> None:
    headers = [
        list_digest("2023-1", "REGULAR", "2021-2024"),
        list_digest("2023-2", "REGULAR", "2021-2024"),
        list_digest("2023-1", "SUPPLEMENTARY-1", "2021-2024"),
        list_digest("2023-1", "REGULAR", "2025-2026"),
    ]

    assert len({digest.hash() for digest in headers}) == 4


@pytest.mark.parametrize("lines", [(GRADUATED, LINE), (LINE, LINE)])
def test_lines_out_of_order_or_twice_are_refused(lines: tuple[ListLine, ...]) -> None:
    with pytest.raises(OutOfOrder):
        hashed(*lines)


@pytest.mark.parametrize("region", ["61|03", "61\n03", "61\r03"])
def test_a_field_that_could_be_read_as_two_is_refused(region: str) -> None:
    with pytest.raises(Malformed):
        hashed(replace(LINE, region=region))
