"""Work in the field as a facilitator does it: without a network, with a browser that dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.browser import Browser, browser
from tests.integration.console.field import PLANNED, ServedField, served_field
from tests.integration.console.kit import REGENCY
from tests.integration.console.seeing import VIEWS, WIDER, seen, text, violations
from tests.integration.p2k2.kit import ANA, BUDI, NUMBER
from tests.servers import Postgres

COLLEAGUE: Final = "sanggau-2"
NAME: Final = "Siti Kanariyah"
NIK: Final = "6103014107850003"
CONTROL: Final = "Kendali Kanariyah"
"""Written in clear by the test, to see that what is in clear is found."""
SHORT: Final = ANA[:8]
WAIT_S: Final = 20
OFFLINE: Final = "Tanpa jaringan"
SMALL: Final = """[...document.querySelectorAll("button, main a, .tabs a, .mark label, select")]
  .filter((each) => !each.matches("[type=checkbox]") && each.getBoundingClientRect().height < 44)
  .map((each) => each.outerHTML)"""
"""Buttons and links that a thumb does not hit with ease."""
PUT: Final = """(store, rows) => new Promise((resolve) => {
  indexedDB.open("pkh-field").onsuccess = (event) => {
    const written = event.target.result.transaction(store, "readwrite", {durability: "strict"});
    for (const row of rows) written.objectStore(store).put(row);
    written.oncomplete = () => resolve(1);
  };
})"""


@pytest.fixture(scope="module")
def field(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedField]:
    with served_field(postgres, tmp_path_factory.mktemp("field")) as served:
        yield served


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """The files of a browser that outlive it."""
    return tmp_path / "profile"


def wait(chromium: Browser, condition: str) -> None:
    """Until a condition of JavaScript holds on the page."""
    tried = f"""new Promise((resolve) => {{
      const end = Date.now() + {WAIT_S * 1000};
      const look = () => {{
        let found = false;
        try {{ found = {condition}; }} catch {{}}
        if (found || Date.now() > end) resolve(Boolean(found)); else setTimeout(look, 50);
      }};
      look();
    }})"""
    held = chromium.awaited(tried)
    assert held, (condition, text(chromium))


def says(chromium: Browser, words: str) -> None:
    wait(chromium, f"document.body.innerText.includes({words!r})")


def go(chromium: Browser, hash_: str) -> None:
    chromium.value(f"location.hash = {hash_!r}; 0")


def start(chromium: Browser, field: ServedField, person: str) -> None:
    """Sign in at the field's page, as somebody who has the groups and the page on the device."""
    chromium.open(field.url, width=360, height=740)
    wait(chromium, "document.getElementById('sign-in')")
    chromium.click("document.getElementById('sign-in').click()")
    chromium.click(f"document.querySelector('button[value=\"{person}\"]').click()")
    says(chromium, "G6103012026-1")
    chromium.awaited("navigator.serviceWorker.ready.then(() => 1)")


def cut(chromium: Browser) -> None:
    chromium.cut(offline=True)
    says(chromium, OFFLINE)


def mark(chromium: Browser, number: str, **marks: str) -> None:
    """Mark families at a session and save; ana and budi are families here."""
    families = {"ana": ANA, "budi": BUDI}
    go(chromium, f"#/sessions/{number}")
    wait(chromium, "document.getElementById('attendance')")
    for name, status in marks.items():
        chromium.value(
            f"document.querySelector('[name=\"{families[name]}\"][value={status}]').click()"
        )
    chromium.value("document.getElementById('save').click()")
    says(chromium, "Kiriman")
    wait(chromium, "location.hash === '#/outbox' && document.querySelector('.entry')")


def complain(chromium: Browser) -> None:
    """Enter a complaint that names somebody, with a number in its contact."""
    go(chromium, "#/complaint")
    wait(chromium, "document.getElementById('complaint')")
    fields = {"category": "AMOUNT_WRONG", "region": "61.03.01.2026", "name": NAME,
              "contact": NIK, "text": "Kurang."}  # fmt: skip
    for name, value in fields.items():
        chromium.value(f"document.querySelector('[name={name}]').value = {value!r}; 0")
    chromium.value("document.getElementById('save').click()")
    wait(chromium, "location.hash === '#/outbox' && document.querySelector('.entry')")


def sent(chromium: Browser) -> None:
    wait(chromium, "document.getElementById('nothing')")


def rows(chromium: Browser, store: str) -> int:
    """The number of rows that the browser keeps."""
    count: int = chromium.awaited(
        f"""new Promise((resolve) => {{ indexedDB.open("pkh-field").onsuccess = (event) => {{
          const all = event.target.result.transaction("{store}").objectStore("{store}").count();
          all.onsuccess = () => resolve(all.result); }}; }})"""
    )
    return count


def in_clear(profile: Path, *words: str) -> list[str]:
    """Those of some words that stand in a browser's files, in either of its encodings."""
    found = set()
    for path in profile.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for word in words:
                if word.encode() in content or word.encode("utf-16-le") in content:
                    found.add(word)
    return sorted(found)


def write_in_clear(chromium: Browser) -> None:
    """Put the control into the store in which entries wait."""
    row = json.dumps({"id": "control", "label": "", "kind": "", "text": CONTROL})
    chromium.awaited(f"({PUT})('waiting', [{row}])")


def test_attendance_is_taken_without_a_network_and_sent_when_there_is_one(
    field: ServedField, profile: Path
) -> None:
    with browser(profile) as chromium:
        start(chromium, field, REGENCY)
        cut(chromium)
        mark(chromium, NUMBER, ana="H", budi="I")
        says(chromium, "Menunggu")
        assert rows(chromium, "waiting") == 1
        assert field.marks() == {}

        chromium.cut(offline=False)
        sent(chromium)

        assert field.marks() == {ANA: "H", BUDI: "I"}
        assert rows(chromium, "waiting") == 0


def test_a_killed_browser_loses_no_entry_and_shows_nobody_anything(
    field: ServedField, profile: Path
) -> None:
    before = len(field.cases())
    with browser(profile) as chromium:
        start(chromium, field, REGENCY)
        cut(chromium)
        complain(chromium)
        write_in_clear(chromium)
        chromium.kill()
    # What is in clear is found, so what is not found is not in clear.
    assert in_clear(profile, CONTROL) == [CONTROL]
    assert in_clear(profile, NAME, NIK, "Kurang.", ANA, BUDI, SHORT) == []

    with browser(profile) as chromium:
        chromium.cut(offline=True)
        chromium.open(field.url, width=360, height=740)
        says(chromium, "Terkunci")
        assert SHORT not in text(chromium)
        assert len(field.cases()) == before

        chromium.cut(offline=False)
        wait(chromium, "document.getElementById('sign-in')")
        start(chromium, field, COLLEAGUE)
        go(chromium, "#/outbox")
        says(chromium, "isian orang lain")
        assert len(field.cases()) == before
        chromium.value("window.confirm = () => true; 0")
        chromium.click("document.getElementById('leave').click()")

        start(chromium, field, REGENCY)
        go(chromium, "#/outbox")
        says(chromium, "Serahkan kepada pelapor")
        wait(chromium, "!document.querySelector('.entry')")

        assert len(field.cases()) == before + 1


def test_what_was_refused_comes_back_with_its_reason_and_is_corrected(
    field: ServedField, profile: Path
) -> None:
    with browser(profile) as chromium:
        start(chromium, field, REGENCY)
        chromium.value("window.confirm = () => true; 0")
        cut(chromium)
        mark(chromium, NUMBER, ana="A")
        shown = field.version(f"/sessions/{NUMBER}")
        cancelled = field.said(
            f"/sessions/{NUMBER}/cancellation", {"reason": "Rained out."}, **{"If-Match": shown}
        )
        assert cancelled.status_code == 204, cancelled.text

        chromium.cut(offline=False)
        says(chromium, "Pertemuan ini sudah dibatalkan.")
        chromium.value("document.querySelector('[data-act=correct]').click()")
        wait(chromium, f"document.querySelector('[name=\"{ANA}\"][value=A]').checked")
        go(chromium, "#/outbox")
        chromium.value("document.querySelector('[data-act=discard]').click()")
        sent(chromium)

        assert rows(chromium, "waiting") == 0


def test_what_was_read_ends_with_the_session(field: ServedField, profile: Path) -> None:
    with browser(profile) as chromium:
        start(chromium, field, REGENCY)
        says(chromium, "2 keluarga")
        assert rows(chromium, "read") == 1
        stolen = """new Promise((resolve) => { indexedDB.open("pkh-field").onsuccess = (event) => {
          const all = event.target.result.transaction("read").objectStore("read").getAll();
          all.onsuccess = () => resolve(all.result); }; })"""
        chromium.awaited(
            f"{stolen}.then((rows) => {{ window.name = JSON.stringify(rows.map((row) => "
            "({...row, iv: [...row.iv], sealed: [...new Uint8Array(row.sealed)]}))); })"
        )
        chromium.click("document.getElementById('leave').click()")
        chromium.open(field.url, width=360, height=740)
        wait(chromium, "document.getElementById('sign-in')")
        assert rows(chromium, "read") == 0
        assert SHORT not in text(chromium)

        # Whoever has copied the rows puts them back, and has the same person sign in anew.
        chromium.awaited(
            f"""({PUT})('read', JSON.parse(window.name).map((row) => ({{...row, id: "receipts",
              iv: new Uint8Array(row.iv), sealed: new Uint8Array(row.sealed).buffer}})))"""
        )
        start(chromium, field, REGENCY)
        assert rows(chromium, "read") == 1  # the new work alone


@pytest.fixture(scope="module")
def signed_in(field: ServedField) -> Iterator[Browser]:
    with browser() as chromium:
        start(chromium, field, REGENCY)
        yield chromium


@pytest.mark.parametrize(
    ("name", "hash_", "ready"),
    [
        ("groups", "#/", "G6103012026-1"),
        ("group", "#/groups/G6103012026-1", SHORT),
        ("families", "#/families", SHORT),
        ("complaint", "#/complaint", "Isi pengaduan"),
        ("attendance", f"#/sessions/{PLANNED}", "Izin"),
        ("outbox", "#/outbox", "Kiriman"),
    ],
)
def test_a_page_of_the_field_fits_and_is_open_to_everybody(
    signed_in: Browser, field: ServedField, name: str, hash_: str, ready: str
) -> None:
    for width, scheme in VIEWS:
        signed_in.open("about:blank", width=width, scheme=scheme)
        signed_in.requests.clear()
        signed_in.complaints.clear()
        signed_in.open(f"{field.url}{hash_}", width=width, scheme=scheme)
        says(signed_in, ready)
        assert all(each.startswith(field.console.url) for each in signed_in.requests)
        assert signed_in.complaints == []
        assert signed_in.value("document.documentElement.scrollWidth") == width
        assert signed_in.value(WIDER) == []
        seen(signed_in, f"field-{name}", width, scheme)
        assert violations(signed_in) == []
        small = signed_in.value(SMALL)
        assert small == []


def test_the_field_speaks_english_to_whoever_switches(
    signed_in: Browser, field: ServedField
) -> None:
    signed_in.open("about:blank")
    signed_in.open(field.url)
    says(signed_in, "Kelompok")

    signed_in.value("document.querySelector('button[lang=en]').click()")
    says(signed_in, "Groups")

    assert signed_in.value("document.documentElement.lang") == "en"
    signed_in.value("document.querySelector('button[lang=id]').click()")
