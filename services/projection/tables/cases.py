"""Cases of complaints and their appeals: rows by what messages say, and how each stood on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from libs.events.bus.incoming import Incoming
from libs.events.store.transaction import Transaction

STANDINGS: Final[Mapping[str, str]] = {
    "CaseReceived": "OPEN",
    "CaseEscalated": "OPEN",
    "CaseReopened": "OPEN",
    "CaseResumed": "OPEN",
    "CaseUnlinked": "OPEN",
    "CasePaused": "PAUSED",
    "CaseLinked": "LINKED",
    "CaseResolved": "RESOLVED",
    "CaseClosed": "CLOSED",
}
"""The standing of a case from a message of each type on."""

_RECEIVED: Final = """
INSERT INTO complaint_case (case_id, family, region, category, channel, received_on)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::date[])
ON CONFLICT (case_id) DO NOTHING
"""
_STEPS: Final = """
INSERT INTO case_step (case_id, position, on_day, standing, level, due_on, outcome)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::date[], $4::text[], $5::text[], $6::date[],
                     $7::text[])
ON CONFLICT (case_id, position) DO NOTHING
"""
_APPEALS: Final = """
INSERT INTO appeal (case_id, family, tahap, effect, received_on, outcome, decided_on, decision)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::date[], $6::text[],
                     $7::date[], $8::int[])
ON CONFLICT (case_id) DO UPDATE
SET received_on = coalesce(excluded.received_on, appeal.received_on), outcome = excluded.outcome,
    decided_on = excluded.decided_on, decision = excluded.decision
"""

STOOD: Final = """
stood AS (
    SELECT case_id, family, region, category, received_on,
           (array_agg(standing ORDER BY position DESC))[1] AS standing,
           (array_agg(level ORDER BY position DESC) FILTER (WHERE level IS NOT NULL))[1] AS level,
           (array_agg(due_on ORDER BY position DESC) FILTER (WHERE due_on IS NOT NULL))[1]
               AS due_on,
           max(on_day) FILTER (WHERE standing = 'RESOLVED') AS resolved_on
    FROM complaint_case JOIN case_step USING (case_id)
    WHERE on_day <= {day} AND {within} GROUP BY case_id
)
"""
"""The common table of cases received by a day within some regions, as each stood at its end."""


async def keep_cases(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep the steps of cases; of one appeal the last word counts."""
    received, steps = [], []
    appeals: dict[str, tuple[Any, ...]] = {}
    for message in messages:
        body = message.body
        if message.type == "CaseReceived":
            facts = body.region, body.category, body.channel, body.received_on
            received.append((body.case, body.family, *facts))
        if message.type in STANDINGS:
            stands = STANDINGS[message.type], body.level, body.due_on, body.resolution
            steps.append((body.case, message.position, body.on or body.received_on, *stands))
        if message.type in ("AppealOpened", "AppealDecided"):
            earlier = appeals.get(body.case)
            since = body.received_on or (earlier[4] if earlier else None)
            about = body.case, body.family, body.tahap, body.effect
            decided = body.outcome, body.decided_on, body.decision
            appeals[body.case] = (*about, since, *decided)
    for statement, rows in (
        (_RECEIVED, received),
        (_STEPS, steps),
        (_APPEALS, list(appeals.values())),
    ):
        if rows:
            await transaction.connection.execute(statement, *map(list, zip(*rows, strict=True)))
