"""An attacker who reads the topics called pseudonymous, and knows who was born when and where.

Village and birth date named each of the 717 persons of the small sample year, and stayed on a topic
when the family was erased: with the birth date came a pregnancy, a disability, a child's school.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.relay.outbox import Relay
from libs.events.store.postgres import Store
from libs.events.store.watermarks import positions
from services.projection.contract import FAMILY_TOPIC
from tests.corridor import running
from tests.doors import TOPICS, YEAR, service_settings
from tests.integration.attacks.erasing import CARDS, payee_of, programme_at
from tests.integration.registry.kit import life_event, register_at
from tests.servers import Postgres, eventually
from tests.stores import fresh_bus
from tests.unit.registry.sample_year import rows

WIDE = TOPICS.stored_as(FAMILY_TOPIC)
PERSONS = 717
EXPECTED = {"due_date": "2023-08-01", "pregnancy_order": "2"}
DAYS = b"1980-01-01", b"2016-12-17", b"2023-08-01"
"""The births of a mother and a child of the erased family, and the day of the next one."""
Person = dict[str, Any]


@dataclass(frozen=True)
class Eavesdropper:
    """The messages of both topics about families, by family, in their order."""

    wide: dict[str, list[bytes]]
    narrow: dict[str, list[bytes]]


async def read(bus: Bus, topic: str) -> dict[str, list[bytes]]:
    member = await bus.join("eavesdropper", [topic])
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    while batches := await member.fetch(10_000, 1.0):
        for batch in batches:
            for record in batch.records:
                found[(record.key or b"").decode()].append(record.value)
    await member.close()
    return found


async def overheard(postgres: Postgres, store: Store) -> Eavesdropper:
    """All that a registry has said, from a bus that asks nobody who they are."""
    async with fresh_bus(postgres) as url:
        bus = await connect(url)

        async def relayed() -> bool:
            return (await positions(store)).relayed >= (await store.head())[0]

        async with running(Relay(store, bus, replace(TOPICS, ends={}))):
            await eventually(relayed)
        found = Eavesdropper(await read(bus, WIDE), await read(bus, FAMILY_TOPIC))
        await bus.close()
        return found


def persons(said: dict[str, list[bytes]]) -> Iterator[Person]:
    """Each person of a card as the messages tell of them, with the village of the family."""
    for messages in said.values():
        bodies = [json.loads(message) for message in messages]
        [region] = [body["region"] for body in bodies if "dtks" in body]
        for body in bodies:
            for member in body.get("members", ()):
                yield {"region": region, **member}


def alone(people: list[Person], known: Callable[[Person], Hashable]) -> int:
    """The number of persons who are the only one of whom that is true which an attacker knows."""
    like = Counter(map(known, people))
    return sum(like[known(person)] == 1 for person in people)


def everything(person: Person) -> Hashable:
    return tuple(sorted((name, str(value)) for name, value in person.items() if name != "member"))


async def test_a_village_and_a_birth_date_name_nobody_any_more(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with (
        service_settings(postgres, tmp_path, "registry") as settings,
        register_at(settings) as register,
    ):
        await register.take("families", *rows(YEAR / "families.csv"))
        await register.take("members", *rows(YEAR / "members.csv"))

        heard = await overheard(postgres, register.store)

    before, now = list(persons(heard.wide)), list(persons(heard.narrow))
    named_before = alone(before, lambda p: (p["region"], p["birth_date"]))
    named = alone(now, lambda p: (p["region"], p["born"]))
    by_everything = alone(now, everything)
    print(f"alone in their village by birth: {named_before} of {len(before)} persons before,")
    print(f"{named} of {len(now)} now, {by_everything} by all that is told of a person")
    assert len(before) == len(now) == named_before == PERSONS
    assert named <= PERSONS // 30
    assert by_everything <= PERSONS // 15


async def test_what_is_left_of_an_erased_family_tells_no_birth_and_no_pregnancy(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with programme_at(postgres, tmp_path) as programme:
        erased, *_ = programme.families.values()
        pregnant = life_event(
            "PREGNANCY", CARDS[0], "2023-02-01", "2023-02-02", nik=payee_of(CARDS[0]), **EXPECTED
        )
        await programme.register.take("life-events", pregnant)
        await programme.erase(erased)

        heard = await overheard(postgres, programme.register.store)

    left = {name: b"".join(topic[erased]) for name, topic in vars(heard).items()}
    assert [day for day in DAYS if day in left["wide"] + left["narrow"]] == []
    assert left["narrow"]
