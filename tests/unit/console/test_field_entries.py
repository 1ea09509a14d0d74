"""Entries of the field: who opens them, whose they are, and what they come to at the services."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from console.field import shell
from console.field.entries import EntryOfAnother, opened, outcome_of, steps
from console.field.keys import ALGORITHMS, EntryBroken, FieldKeys
from console.static_files import FILES
from console.words import words_of
from libs.privacy.versions import KeyVersions
from services.complaints.policy import load

FIRST = KeyVersions(1, {1: b"1" * 32})
BOTH = KeyVersions(2, {1: b"1" * 32, 2: b"2" * 32})
SECOND = KeyVersions(2, {2: b"2" * 32})
KEY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a10"
WHAT: dict[str, Any] = {"type": "attendance", "session": "S1", "marks": [{"status": "H"}]}


def entered(versions: KeyVersions, person: str, what: object = WHAT) -> str:
    """An entry as a person's browser seals it under the version in use."""
    keys = FieldKeys(versions)
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": keys.public["kid"]}
    plain = msgspec.json.encode({"by": keys.pledge(person), "key": KEY, "what": what})
    key = ECKey.import_key(keys.public)  # type: ignore[arg-type]
    return jwe.encrypt_compact(header, plain, key, list(ALGORITHMS))


# -- Whose it is, and under which key -------------------------------------------------------------


def test_an_entry_is_opened_for_who_entered_it_however_they_type_their_name() -> None:
    assert opened(FieldKeys(FIRST), entered(FIRST, "pd-1"), " PD-1").key == KEY


def test_an_entry_of_another_person_is_not_given_out() -> None:
    with pytest.raises(EntryOfAnother):
        opened(FieldKeys(FIRST), entered(FIRST, "pd-1"), "pd-2")


def test_what_waits_is_opened_after_the_key_was_changed_until_it_is_dropped() -> None:
    waiting = entered(FIRST, "pd-1")

    assert opened(FieldKeys(BOTH), waiting, "pd-1").key == KEY
    assert FieldKeys(BOTH).public["kid"] == "2"
    with pytest.raises(EntryBroken):
        opened(FieldKeys(SECOND), waiting, "pd-1")


def test_entries_of_all_versions_are_shown_to_their_person_alone() -> None:
    labels = FieldKeys(BOTH).labels("pd-1")

    assert labels == [*FieldKeys(SECOND).labels("PD-1"), *FieldKeys(FIRST).labels("pd-1")]
    assert not {*labels} & {*FieldKeys(BOTH).labels("pd-2")}


def test_a_label_does_not_tell_the_pledge_and_the_public_key_not_the_private_one() -> None:
    keys = FieldKeys(FIRST)

    assert keys.pledge("pd-1") not in keys.labels("pd-1")
    assert {*keys.public} == {"kty", "crv", "x", "y", "kid"}


def test_an_entry_under_another_algorithm_is_not_opened() -> None:
    keys = FieldKeys(FIRST)
    plain = msgspec.json.encode({"by": keys.pledge("pd-1"), "key": KEY, "what": WHAT})
    wrapped = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "1"}
    key = ECKey.import_key(keys.public)  # type: ignore[arg-type]
    sealed = jwe.encrypt_compact(wrapped, plain, key, ["ECDH-ES+A256KW", "A256GCM"])

    with pytest.raises(EntryBroken):
        opened(keys, sealed, "pd-1")


# -- What it comes to -----------------------------------------------------------------------------


def test_a_planned_session_is_said_to_be_held_before_who_was_there() -> None:
    entry = opened(FieldKeys(FIRST), entered(FIRST, "a", {**WHAT, "meeting": {"on": "x"}}), "a")

    assert [(step.path, step.key) for step in steps(entry)] == [
        ("/sessions/S1/report", f"{KEY}.held"),
        ("/sessions/S1/attendance", KEY),
    ]


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (204, "", "ACCEPTED"),
        (201, "", "ACCEPTED"),
        (422, "invalid-request", "REFUSED"),
        (403, "region-not-yours", "REFUSED"),
        (409, "session-not-held", "REFUSED"),
        (409, "idempotency-key-in-flight", "RETRY"),
        (401, "", "RETRY"),
        (429, "", "RETRY"),
        (503, "", "RETRY"),
    ],
)
def test_what_is_of_this_moment_is_tried_again_and_what_is_refused_is_not(
    status: int, code: str, outcome: str
) -> None:
    assert outcome_of(httpx.Response(status, json={"type": f"/problems/{code}"})) == outcome


def test_an_answer_that_is_no_problem_page_is_refused_without_its_words() -> None:
    assert outcome_of(httpx.Response(404, text="<html>")) == "REFUSED"


# -- What a browser keeps -------------------------------------------------------------------------


def test_the_worker_keeps_every_file_that_the_page_loads() -> None:
    imported = {
        f"{name}.js"
        for file in ("field.js", *shell.IMPORTED)
        for name in ("field_seal", "field_store", "field_views")
        if f'"./{name}.js"'.encode() in FILES[file].plain
    }

    assert imported == {*shell.IMPORTED}
    assert shell.WORKER not in shell.IMPORTED


def test_every_kind_of_complaint_can_be_picked_by_its_name_in_both_languages() -> None:
    [named] = load().categories.values()
    titles = {code: category.title for code, category in named.items()}
    words = words_of("field")

    assert words["categories"].id.split() == words["categories"].en.split() == [*titles]
    for code, title in titles.items():
        wording = words[f"category_{code.lower()}"]
        assert (wording.id, wording.en) == (title.id, title.en)
