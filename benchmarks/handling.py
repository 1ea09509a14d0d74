"""500 families with 20 past events each: load, decide, append, beside the peer doing the same."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from benchmarks.append import STREAMS, Families
from benchmarks.domain import ACCOUNT, CONTEXT, REPLAYED, Account, Record, Recorded, commands_for
from benchmarks.measure import WARMUP_ROUNDS, Effort, Line, in_turn, timed
from benchmarks.peer import Accounts, PeerAccount, open_peer, record
from benchmarks.report import Figure
from benchmarks.server import database, open_store
from libs.events.store.handle import handle_many
from libs.events.store.model import StreamType
from libs.events.store.postgres import Store
from localstack.postgres.server import PostgresServer

PAST: Final = 20
BATCHES: Final = 2  # so that each family gains few events beside its past
ROUNDS: Final = 10
SNAPSHOTS_RATIO_MIN: Final = 15.0
REPLAY_RATIO_MIN: Final = 8.0
UNIT: Final = "streams/s"
LINES: Final = (
    Line(f"handle_many: {STREAMS} streams, {PAST} past events, snapshots", UNIT, "ours"),
    Line(
        "  eventsourcing with snapshots: get each, save all",
        *(UNIT, "theirs", "ours", SNAPSHOTS_RATIO_MIN),
    ),
    Line("handle_many: the same by replay", UNIT, "folded"),
    Line("  eventsourcing without snapshots", UNIT, "refolded", "folded", REPLAY_RATIO_MIN),
)


class Existing:
    """One command for each of a batch of families that have a past."""

    def __init__(
        self, store: Store, kind: StreamType[Record, Account, Recorded], families: Families
    ) -> None:
        self._store, self._kind, self._families = store, kind, families
        self._commands = commands_for([])

    async def begin(self) -> None:
        """Give every family its past."""
        for turn in range(PAST * BATCHES):
            await self.prepare(turn)
            await self.run()

    async def prepare(self, turn: int) -> None:
        """Make the commands."""
        self._commands = commands_for(self._families.batch(turn))

    async def run(self) -> None:
        """Handle them in one transaction."""
        async with self._store.transaction(CONTEXT) as transaction:
            outcomes = await handle_many(transaction, self._kind, self._commands)
        assert all(outcome.error is None for outcome in outcomes)


class ExistingAtPeer:
    """The peer's way: get each aggregate, let it decide, save all in one call."""

    def __init__(self, peer: Accounts, families: Families, *, snapshots: bool) -> None:
        self._peer, self._families, self._snapshots = peer, families, snapshots
        self._batch: list[UUID] = []

    async def begin(self) -> None:
        """Give every family its past, and a snapshot behind it where there are snapshots."""
        for turn in range(BATCHES):
            batch = self._families.batch(turn)
            accounts = [PeerAccount(family) for family in batch]
            for account, family in zip(accounts, batch, strict=True):
                for _ in range(PAST - 1):  # its creation is an event as well
                    record(account, family)
            self._peer.save(*accounts)
            for family in batch if self._snapshots else ():
                self._peer.take_snapshot(family)

    async def prepare(self, turn: int) -> None:
        """Choose the batch."""
        self._batch = self._families.batch(turn)

    async def run(self) -> None:
        """Handle it."""
        accounts: list[PeerAccount] = []
        for family in self._batch:
            account: PeerAccount = self._peer.repository.get(family)
            record(account, family)
            accounts.append(account)
        self._peer.save(*accounts)


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """With snapshots and by replay, each beside the peer."""
    store = await open_store(server, "known")
    saved = open_peer(database(server, "peer_snapshots"), snapshots=True)
    replayed = open_peer(database(server, "peer_replay"))
    contenders: dict[str, Existing | ExistingAtPeer] = {
        "ours": Existing(store, ACCOUNT, Families(31, BATCHES)),
        "theirs": ExistingAtPeer(saved, Families(32, BATCHES), snapshots=True),
        "folded": Existing(store, REPLAYED, Families(33, BATCHES)),
        "refolded": ExistingAtPeer(replayed, Families(34, BATCHES), snapshots=False),
    }
    for contender in contenders.values():
        await contender.begin()
    ways = {name: timed(contender, STREAMS) for name, contender in contenders.items()}
    found = await in_turn(ways, LINES, ROUNDS, effort, WARMUP_ROUNDS)
    saved.close()
    replayed.close()
    await store.close()
    return found
