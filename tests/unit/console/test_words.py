"""The console's words: each in both languages, each that a template asks for, and its numbers."""

from __future__ import annotations

import hashlib
import re

import pytest
import yaml

from console.actions import ACTIONS
from console.application import PAGES
from console.areas import STATES
from console.rendering import TEMPLATES
from console.static_files import FOLDER as STATIC
from console.words import COMMON, FOLDER, HAPPENINGS, LANGUAGES, Language, Words, words_of
from libs.chassis.catalogue import catalogue
from services.projection.tables.worklists import LISTS, ListName
from tests.doors import ROOT

OF_NO_FAMILY = {
    *("EvaluationAnnounced", "EvaluationClosed", "ListingAnnounced"),
    *("SessionPlanned", "SessionHeld", "SessionCorrected", "SessionCancelled"),
}
"""Messages that stand in no family's timeline."""
ASKED = re.compile(r"\bt\(\"([a-z_0-9]+)\"\s*[,)]")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)
PLACE = re.compile(r"\{([a-z_]+)\}")
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
TEMPLATE_NAMES = sorted(path.name for path in TEMPLATES.iterdir())
WORD_FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", WORD_FILES)
def test_a_wording_has_the_same_places_in_both_languages(name: str) -> None:
    for key, wording in words_of(name).items():
        assert sorted(PLACE.findall(wording.id)) == sorted(PLACE.findall(wording.en)), key


@pytest.mark.parametrize("template", TEMPLATE_NAMES)
def test_every_word_that_a_template_asks_for_is_there(template: str) -> None:
    asked = {*ASKED.findall((TEMPLATES / template).read_text())}
    there = {key for name in WORD_FILES for key in words_of(name)}

    assert asked <= there


@pytest.mark.parametrize("template", TEMPLATE_NAMES)
def test_no_template_has_a_script_or_a_style_within_or_shows_text_unescaped(template: str) -> None:
    text = (TEMPLATES / template).read_text()

    assert not INLINE.search(text)
    assert "|safe" not in text.replace(" ", "")


def test_every_page_has_a_title_and_a_place_of_its_own() -> None:
    assert len({page.path for page in PAGES}) == len(PAGES) >= 3
    assert all(Words(language, page.name)("title") for page in PAGES for language in ("id", "en"))


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_name_and_says_what_it_waits_for(state: str) -> None:
    t = Words("en", "pipeline")

    assert t.code("state", state) != state
    assert t.code("waits", state) != state


@pytest.mark.parametrize("name", LISTS)
def test_every_work_list_and_act_on_it_is_worded(name: ListName) -> None:
    t = Words("en", "worklists")
    acts = ACTIONS.get(name, ())

    assert all(t.code(word, name) != name for word in ("list", "about", "ended"))
    assert all(t.code("act", act.name) != act.name for act in acts)
    assert all(t.code("does", key) != key for key in (f"{name}_{act.name}" for act in acts))


def test_categories_of_complaints_are_called_as_complaints_calls_them() -> None:
    policy = yaml.safe_load((ROOT / "services/complaints/policy/categories.yaml").read_text())
    for values in policy["values"].values():
        for code, category in values.items():
            for language in LANGUAGES:
                called = Words(language, COMMON).code("reason", code)
                assert called == category["title"][language]


def test_every_message_of_a_timeline_is_worded() -> None:
    kinds = {
        path.name.partition(".")[0]
        for topic in catalogue().services["projection"].reads
        for path in (ROOT / "contracts" / topic).glob("*.example.json")
    }

    assert kinds - {*words_of(HAPPENINGS)} == OF_NO_FAMILY & kinds


def test_a_mark_of_attendance_says_when_and_which() -> None:
    body = {"session": "S1", "group": "G1", "on": "2023-01-05", "status": "A"}

    said = Words("id", "family").happening("AttendanceRecorded", body)

    assert said == "Pertemuan P2K2 5 Januari 2023: tidak hadir"


@pytest.mark.parametrize("kind", sorted(words_of(HAPPENINGS)))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_said_from_its_body(kind: str, language: Language) -> None:
    said = Words(language, "family").happening(kind, {"amount": 750_000, "tahap": "2023-1"})

    assert said != kind
    assert "{" not in said


def test_a_message_that_nobody_has_worded_yet_is_shown_by_its_type() -> None:
    assert Words("id", "family").happening("SomethingNew", {}) == "SomethingNew"


def test_numbers_are_written_as_each_language_writes_them() -> None:
    indonesian, english = Words("id", COMMON), Words("en", COMMON)

    assert (indonesian.number(1_234_567), english.number(1_234_567)) == ("1.234.567", "1,234,567")
    assert (indonesian.rupiah(750_000), english.rupiah(750_000)) == ("Rp750.000", "Rp 750,000")
    assert (indonesian.about(1_349_999_999), english.about(10**12)) == (
        "Rp1,34 miliar",
        "Rp 1.00 trillion",
    )
    assert (indonesian.percent(9_996, 10_000), english.percent(1, 3)) == ("99,9 %", "33.3 %")
    assert english.percent(0, 0) == "0.0 %"


def test_htmx_is_the_file_that_was_looked_at() -> None:
    assert hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() == HTMX
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text()
