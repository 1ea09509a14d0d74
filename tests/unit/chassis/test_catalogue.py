"""deploy/services.toml: every mistake in it is named before anything starts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from libs.chassis.catalogue import ROOT, CatalogueRefused, catalogue, load
from libs.chassis.migrations import integrators
from libs.events.bus.topics import Topics

PURSES = """
[purses]
title = "Purses"
port = 8001
publishes = ["pkh.purses.purse.v1"]
"""


def tree(root: Path, described: str, *rooms: str) -> Path:
    """A tree of services with one topic."""
    for name in rooms or ("purses",):
        (root / "services" / name).mkdir(parents=True)
        (root / "services" / name / "main.py").touch()
    (root / "deploy").mkdir()
    (root / "contracts").mkdir()
    (root / "deploy" / "services.toml").write_text(described)
    (root / "contracts" / "topics.yaml").write_text(
        "namespace: org.example\n"
        "topics:\n"
        "  pkh.purses.purse.v1:\n"
        "    {key: purse, partitions: 1, owner: purses, data_class: public}\n"
    )
    return root


def refusals(root: Path, described: str, *rooms: str) -> tuple[str, ...]:
    with pytest.raises(CatalogueRefused) as refused:
        load(tree(root, described, *rooms))
    return refused.value.sentences


def test_a_service_is_described_in_a_few_lines(tmp_path: Path) -> None:
    known = load(tree(tmp_path, PURSES))
    assert (known.names, known.publishers) == (("purses",), ("purses",))
    assert known.needing("token-key") == ()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('needs = ["gold"]', "[purses] need 'gold' is none of sealing-keys,"),
        (
            'reads = ["pkh.gold.v1"]',
            "[purses] topic 'pkh.gold.v1' is not in contracts/",
        ),
        ('calls = ["bank"]', "[purses] calls 'bank', which is no other service."),
        ('colour = "red"', "contains unknown field `colour`"),
    ],
)
def test_a_wrong_word_is_named_with_its_service(tmp_path: Path, line: str, sentence: str) -> None:
    assert any(sentence in each for each in refusals(tmp_path, PURSES + line))


def test_a_port_belongs_to_one_service(tmp_path: Path) -> None:
    described = PURSES + '[wallets]\ntitle = "Wallets"\nport = 8001\n'
    found = refusals(tmp_path, described, "purses", "wallets")
    assert found == (
        "deploy/services.toml: [purses] port 8001 is another service's too.",
        "deploy/services.toml: [wallets] port 8001 is another service's too.",
    )


def test_a_port_is_one_that_a_user_may_open(tmp_path: Path) -> None:
    [found] = refusals(tmp_path, PURSES.replace("8001", "80"))
    assert "port 80 is not from 1024 to 65535" in found


def test_a_service_has_a_room_and_a_room_has_a_service(tmp_path: Path) -> None:
    found = refusals(tmp_path, PURSES, "wallets")
    assert found == (
        "deploy/services.toml: [purses] has no services/purses/main.py.",
        "deploy/services.toml: services/wallets/ is not described.",
    )


def test_a_topic_is_published_by_its_owner(tmp_path: Path) -> None:
    described = PURSES.replace("purses", "wallets").replace("pkh.wallets", "pkh.purses")
    [found] = refusals(tmp_path, described.replace("wallets.purse", "purses.purse"), "wallets")
    assert "publishes pkh.purses.purse.v1, which contracts/topics.yaml gives to purses" in found


def test_a_topic_has_a_publisher(tmp_path: Path) -> None:
    [found] = refusals(tmp_path, PURSES.replace('publishes = ["pkh.purses.purse.v1"]', ""))
    assert "nobody publishes pkh.purses.purse.v1" in found


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    found = refusals(tmp_path, PURSES.replace("8001", "80") + 'needs = ["gold"]')
    assert len(found) == 2


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    [found] = refusals(tmp_path, "[purses")
    assert found.startswith("deploy/services.toml: ")


def test_a_program_ends_with_the_mistakes(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="port 80 is not from"):
        catalogue(tree(tmp_path, PURSES.replace("8001", "80")))


def test_the_services_of_this_tree_are_described() -> None:
    assert load(ROOT) == catalogue()


@pytest.mark.parametrize(("last_day", "mistakes"), [("2020-01-01", 1), ("9999-12-31", 0)])
def test_a_topic_is_read_until_its_last_day(tmp_path: Path, last_day: str, mistakes: int) -> None:
    root = tree(tmp_path, PURSES + 'reads = ["pkh.purses.purse.v1"]\n')
    declared = root / "contracts" / "topics.yaml"
    declared.write_text(declared.read_text().replace("public}", f"public, ends: {last_day}}}"))

    found: tuple[str, ...] = ()
    try:
        load(root)
    except CatalogueRefused as refused:
        found = refused.sentences

    assert len(found) == mistakes
    for sentence in found:
        assert sentence.endswith("[purses] reads pkh.purses.purse.v1, which ended on 2020-01-01.")


WIDE = "pkh.registry.family.v1"
OPEN = "pkh.payments.tahap.v1"
LAST = date(2027, 6, 30)


def reading_the_wide_topic(root: Path) -> Path:
    """This platform, with a projection that reads the topic which names people, until its end."""
    shutil.copytree(ROOT / "contracts", root / "contracts")
    (root / "deploy").mkdir()
    described = (ROOT / "deploy" / "services.toml").read_text()
    head, projection, rest = described.partition("[projection]")
    reads = rest.replace('"pkh.registry.family.v2"', f'"{WIDE}"', 1)
    (root / "deploy" / "services.toml").write_text(head + projection + reads)
    for name in catalogue().names:
        (root / "services" / name).mkdir(parents=True)
        (root / "services" / name / "main.py").touch()
    return root


def test_a_reader_of_family_v1_starts_on_its_last_day_and_never_again(tmp_path: Path) -> None:
    root = reading_the_wide_topic(tmp_path)

    assert WIDE in load(root, LAST).services["projection"].reads
    with pytest.raises(CatalogueRefused) as refused:
        load(root, LAST + timedelta(days=1))

    [found] = refused.value.sentences
    assert found.endswith(f"[projection] reads {WIDE}, which ended on {LAST}.")


def test_this_platform_starts_when_family_v1_has_ended() -> None:
    assert load(ROOT, LAST + timedelta(days=1)) == catalogue()


def test_who_read_family_v1_from_outside_has_no_right_there_when_it_has_ended() -> None:
    topics = replace(Topics.load(ROOT / "contracts"), integrators={"bpk": [WIDE, OPEN]})

    def reads(on: date) -> Sequence[str]:
        [rights] = integrators(topics, on)
        return rights.reads

    assert reads(LAST) == [WIDE, OPEN]
    assert reads(LAST + timedelta(days=1)) == [OPEN]


def test_a_topic_whose_readers_are_named_has_no_others(tmp_path: Path) -> None:
    described = PURSES + 'reads = ["pkh.purses.purse.v1"]\n'
    load(tree(tmp_path / "open", described))
    closed = tree(tmp_path / "closed", described) / "contracts" / "topics.yaml"
    closed.write_text(closed.read_text().replace("public}", "sealed, readers: [wallets]}"))

    with pytest.raises(CatalogueRefused) as refused:
        load(tmp_path / "closed")

    [found] = refused.value.sentences
    assert found.endswith("[purses] reads pkh.purses.purse.v1, whose readers are others.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            "writers: [dukcapil]",
            "pkh.inbound.deaths.v1 is written from outside and names no readers.",
        ),
        (
            "writers: [purses], readers: [purses]",
            "pkh.inbound.deaths.v1 is written from outside: purses is a service.",
        ),
        (
            "writers: [Duk-capil], readers: [purses]",
            "'Duk-capil' is no name for a user of Kafka: a to z, 0 to 9 and _, at most 32.",
        ),
        ("writers: [dukcapil], readers: [purses]", None),
    ],
)
def test_who_writes_from_outside_is_registered_and_no_service(
    tmp_path: Path, fields: str, sentence: str | None
) -> None:
    declared = tree(tmp_path, PURSES) / "contracts" / "topics.yaml"
    with declared.open("a") as file:
        file.write(
            f"  pkh.inbound.deaths.v1: {{key: person, partitions: 1, data_class: sealed, {fields}}}"
        )
    if sentence is None:
        assert load(tmp_path).names == ("purses",)
        return
    with pytest.raises(CatalogueRefused) as refused:
        load(tmp_path)
    assert refused.value.sentences == (f"deploy/services.toml: {sentence}",)


@pytest.mark.parametrize(
    ("integrators", "sentence"),
    [
        ("warehouse: [pkh.gold.v1]", "warehouse reads pkh.gold.v1, which is not in contracts/"),
        ("warehouse: [pkh.closed.v1]", "warehouse reads pkh.closed.v1, whose readers are others."),
        ("purses: [pkh.purses.purse.v1]", "purses is a service, and no integrator."),
    ],
)
def test_who_reads_from_outside_reads_what_names_no_readers(
    tmp_path: Path, integrators: str, sentence: str
) -> None:
    described = PURSES.replace('"]', '", "pkh.closed.v1"]')
    declared = tree(tmp_path, described) / "contracts" / "topics.yaml"
    with declared.open("a") as file:
        file.write(
            "  pkh.closed.v1: {key: purse, partitions: 1, owner: purses, data_class: sealed,"
            f" readers: [purses]}}\nintegrators: {{{integrators}}}\n"
        )
    with pytest.raises(CatalogueRefused) as refused:
        load(tmp_path)
    assert any(sentence in each for each in refused.value.sentences)
