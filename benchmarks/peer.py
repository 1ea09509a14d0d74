"""The same events through the `eventsourcing` package of PyPI, on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, DomainEventProtocol
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import get_topic

from benchmarks.append import Families
from benchmarks.domain import AMOUNT, Recorded, recorded
from libs.events.store.model import encode


class PeerAccount(Aggregate):
    """The account of benchmarks/domain.py in the peer's own words."""

    class Opened(Aggregate.Created):
        family: UUID

    class Recorded(Aggregate.Event):
        family: str
        tahap: str
        region: str
        amount: int
        note: str
        categories: list[str]

        def apply(self, aggregate: Aggregate) -> None:
            """Count it, as `_evolve` of benchmarks/domain.py does."""
            assert isinstance(aggregate, PeerAccount)
            aggregate.total += self.amount
            aggregate.count += 1

    def __init__(self, family: UUID) -> None:
        self.total = 0
        self.count = 0

    @staticmethod
    def create_id(family: UUID) -> UUID:
        """An account has its family's id."""
        return family


class Accounts(Application[UUID]):
    """The peer's application; its store is the database it is given."""


def open_peer(url: str, *, snapshots: bool = False) -> Accounts:
    """The peer on a database of its own, inserting by its function in the database.

    That is the faster of its two ways here, and the only one that comes to an end each time: the
    other is psycopg's pipeline, which can wait for ever for large batches where psycopg runs
    without its C part (psycopg issue 685).
    """
    address = urlsplit(url)
    where = parse_qs(address.query)
    return Accounts(
        {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": address.path.lstrip("/"),
            "POSTGRES_HOST": where["host"][0],
            "POSTGRES_PORT": where["port"][0],
            "POSTGRES_USER": unquote(address.username or ""),
            "POSTGRES_PASSWORD": unquote(address.password or ""),
            "POSTGRES_ENABLE_DB_FUNCTIONS": "yes",
            "IS_SNAPSHOTTING_ENABLED": "yes" if snapshots else "no",
        }
    )


class Put:
    """Its fastest way from decided events: its event store maps and inserts them in one call."""

    def __init__(self, peer: Accounts, families: Families, events: int = 1) -> None:
        """`events` is how many each stream gains."""
        self._store, self._families, self._gained = peer.events, families, events
        self._accounts: dict[UUID, PeerAccount] = {}
        self._decided: list[DomainEventProtocol[UUID]] = []

    async def prepare(self, turn: int) -> None:
        """Let each aggregate of the batch decide; they are kept, so none has to be loaded."""
        accounts = _decided(self._accounts, self._families.batch(turn), self._gained)
        self._decided = [event for account in accounts for event in account.collect_events()]

    async def run(self) -> None:
        """Put the events of the batch."""
        self._store.put(self._decided)


class Save:
    """Its usual way: aggregates that have decided, saved together."""

    def __init__(self, peer: Accounts, families: Families) -> None:
        self._peer, self._families = peer, families
        self._accounts: dict[UUID, PeerAccount] = {}
        self._decided: list[PeerAccount] = []

    async def prepare(self, turn: int) -> None:
        """Let each aggregate of the batch decide; they are kept, so none has to be loaded."""
        self._decided = _decided(self._accounts, self._families.batch(turn))

    async def run(self) -> None:
        """Save the aggregates of the batch in one call."""
        self._peer.save(*self._decided)


class BareRecorder:
    """Its recorder alone, given the data of the events as msgspec encodes it."""

    def __init__(self, peer: Accounts, families: Families) -> None:
        self._recorder, self._families = peer.recorder, families
        self._topic = get_topic(PeerAccount.Recorded)
        self._versions: Counter[UUID] = Counter()
        self._decided: list[tuple[UUID, int, Recorded]] = []

    async def prepare(self, turn: int) -> None:
        """Decide."""
        batch = self._families.batch(turn)
        self._versions.update(batch)
        self._decided = [(f, self._versions[f], recorded(str(f), AMOUNT)) for f in batch]

    async def run(self) -> None:
        """Encode and insert in one call."""
        self._recorder.insert_events(
            [
                StoredEvent(family, version, self._topic, encode(event))
                for family, version, event in self._decided
            ]
        )


def record(account: PeerAccount, family: UUID) -> None:
    """Let an account decide: one more event."""
    account.trigger_event(PeerAccount.Recorded, **asdict(recorded(str(family), AMOUNT)))


def _decided(
    accounts: dict[UUID, PeerAccount], batch: Sequence[UUID], events: int = 1
) -> list[PeerAccount]:
    """The batch's accounts, each with some more events (and its first one when it is new)."""
    for family in batch:
        account = accounts.setdefault(family, PeerAccount(family))
        for _ in range(events):
            record(account, family)
    return [accounts[family] for family in batch]
