"""Things that the console has sealed open to their purpose, bearer and key, and to nothing else."""

from __future__ import annotations

import pytest

from console.sealing import NotOurs, Seal
from console.signing_in import HOME, local

SEAL = Seal(b"k" * 32)


def test_what_was_sealed_is_opened() -> None:
    assert SEAL.opened("session", SEAL.seal("session", b"token", "id"), "id") == b"token"


@pytest.mark.parametrize(
    ("seal", "purpose", "bearer"),
    [
        (SEAL, "session", "another"),
        (SEAL, "session", ""),
        (SEAL, "signing-in", "id"),
        (Seal(b"l" * 32), "session", "id"),
    ],
)
def test_nobody_else_opens_it(seal: Seal, purpose: str, bearer: str) -> None:
    with pytest.raises(NotOurs):
        seal.opened(purpose, SEAL.seal("session", b"token", "id"), bearer)


@pytest.mark.parametrize("cut", [0, 5, 12, 20])
def test_a_part_of_it_is_refused(cut: int) -> None:
    with pytest.raises(NotOurs):
        SEAL.opened("session", SEAL.seal("session", b"token", "id")[:cut], "id")


def test_a_word_is_the_same_for_one_bearer_alone() -> None:
    assert SEAL.word("csrf", "a") == SEAL.word("csrf", "a") != SEAL.word("csrf", "b")


@pytest.mark.parametrize(
    "address",
    [
        "/console/",
        "/console/pipeline",
        "/console/families/3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11?tahap=2023-1",
        "/console/?tahap=2023-1&region=61.03",
    ],
)
def test_an_address_of_the_console_is_led_to(address: str) -> None:
    assert local(address) == address


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/console/../x", "/consolex", "/console//evil",
     "/console/\r\nX: y", "", "javascript:alert(1)", "/console/?next=https://evil.example"],
)  # fmt: skip
def test_any_other_leads_home(address: str) -> None:
    assert local(address) == HOME
