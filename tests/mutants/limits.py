"""Limits of what one client may take, so that it stops nobody else."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

HELD: Final = "tests/integration/attacks/test_held_connections.py"
SLOW: Final = "tests/integration/attacks/test_slow_uploads.py"
UPLOADS: Final = f"{SLOW}::test_many_slow_uploads_of_one_clerk_keep_nobody_from_the_database"
IDLE: Final = f"{HELD}::test_a_thousand_idle_connections_keep_nobody_out[20]"
SIZE: Final = f"{HELD}::test_a_header_of_any_size_fills_no_memory_and_stops_nobody[many headers]"
RETENTION: Final = "tests/integration/chassis/test_retention.py"
IMPORTED: Final = (
    "tests/integration/registry/test_import_jobs.py"
    "::test_an_upload_can_be_looked_at_while_it_goes_and_when_it_is_done"
)
CONNECTIONS: Final = "libs/chassis/connections.py"

CROWD: Final = "tests/integration/attacks/test_a_card_for_thousands.py"

LIMITS: Final = (
    Mutant(
        "a-card-for-thousands",
        "a card takes as many people as a file has",
        (
            Change(
                "services/registry/domain/family/rules.py",
                "    if len(state.members) + len(state.reported) + more > ENTRIES_MAX:\n",
                "    if more > ENTRIES_MAX:\n",
            ),
        ),
        f"{CROWD}::test_it_is_refused_and_the_others_are_listed_and_paid",
        "tests/unit/registry/test_registration.py::test_a_candidate_family_is_registered",
    ),
    Mutant(
        "the-refused-mark-others",
        "who is refused as one too many of a card puts the family that has them on hold",
        (
            Change(
                "services/registry/http/csv_commands.py",
                " or isinstance(family.error, FamilyFull)\n",
                "\n",
            ),
        ),
        f"{CROWD}::test_who_is_refused_there_puts_no_other_family_on_hold",
        f"{CROWD}::test_it_is_refused_and_the_others_are_listed_and_paid",
    ),
    Mutant(
        "idle-connections-stay",
        "who holds connections open that say nothing keeps everybody else out",
        (
            Change(CONNECTIONS, "            next(iter(own)).make_way()\n", "            return\n"),
            Change(
                CONNECTIONS,
                "            next(iter(self._all)).make_way()\n",
                "            return\n",
            ),
        ),
        IDLE,
        SIZE,
    ),
    Mutant(
        "header-of-any-size",
        "a header is kept in memory however large it is",
        (Change(CONNECTIONS, "if self._unread > self.limits.header_bytes_max", "if False"),),
        SIZE,
        IDLE,
    ),
    Mutant(
        "connection-held-while-bytes-come",
        "an upload holds a connection of the database for as long as its sender likes",
        (
            Change(
                "libs/chassis/imports.py",
                "    async with spool.received(",
                "    async with store.transaction(context), spool.received(",
            ),
        ),
        UPLOADS,
        IMPORTED,
    ),
    Mutant(
        "body-as-slow-as-it-likes",
        "a sender may let a byte come now and then, for hours",
        (Change("libs/chassis/middleware.py", "min(seconds, least)", "seconds"),),
        UPLOADS,
        IMPORTED,
    ),
    Mutant(
        "kept-for-ever",
        "every answer that was ever given is kept",
        (
            Change(
                "libs/chassis/retention.py",
                "recorded_at < now() - $1",
                "recorded_at < now() - 99 * $1",
            ),
        ),
        f"{RETENTION}::test_what_is_old_goes_in_batches_and_what_is_young_stays",
        f"{RETENTION}::test_a_statement_of_a_request_ends_and_a_worker_s_goes_on",
    ),
    Mutant(
        "tokens-tried-for-ever",
        "tokens that are not believed may be tried as often as one likes",
        (Change("libs/chassis/auth.py", "            rates.refused_token(address)\n", ""),),
        f"{HELD}::test_bad_tokens_have_to_wait_and_good_ones_are_served",
        IDLE,
    ),
)
