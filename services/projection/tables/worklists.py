"""Work lists: what waits for somebody, a row each, filtered, sorted, by keyset pages.

Every list is one statement that gives rows of one form (`Work`); a row stands in the region in
which its family lived at the tahap's closing, or lives today where it is of no tahap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from libs.chassis.reading import Reading
from libs.chassis.regions import region_ranges
from services.projection.tables.cases import STOOD
from services.projection.tables.sessions import TAKING_PART

ListName: TypeAlias = Literal[
    "failed-accounts",
    "blocked",
    "deferred",
    "on-hold",
    "unverified",
    "next-failure",
    "investigations",
    "corrections",
    "reopenings",
    "appeals",
    "cases",
    "sessions-missed",
]
SortName: TypeAlias = Literal["id", "since", "-since", "due_on", "-rupiah", "rupiah"]


@dataclass(frozen=True, slots=True)
class WorkList:
    """A list: what stands on it, and what ends a row of it.

    `source` selects id, family, region, tahap, reason, since, due_on, rupiah, times, reference;
    one that is `of_a_tahap` is asked for one, as $1.
    """

    about: str
    ended_by: str
    source: str
    tables: str = ""
    of_a_tahap: bool = False


_LATEST_PROPOSAL: Final = """
SELECT DISTINCT ON (family, tahap) family || '/' || tahap AS id, family,
       home_within(family) AS region, tahap, coalesce(result, '') AS reason,
       (proposed_at AT TIME ZONE 'UTC')::date AS since, NULL::date AS due_on,
       NULL::bigint AS rupiah, 1 AS times, number::text AS reference, standing
FROM proposal WHERE kind = '{kind}' AND ($1::text IS NULL OR tahap = $1)
ORDER BY family, tahap, number DESC
"""

LISTS: Final[Mapping[ListName, WorkList]] = {
    "failed-accounts": WorkList(
        "Payments whose account failed its check, or whose transfer the bank refused",
        "the family's account is set right (a change by two people), for the next tahap",
        """
        SELECT payment::text AS id, family, region, tahap,
               coalesce(check_failure, transfer) AS reason,
               (failed_at AT TIME ZONE 'UTC')::date AS since, NULL::date AS due_on,
               amount - coalesce(cut, 0) AS rupiah, 1 AS times, coalesce(bank, '') AS reference
        FROM payment WHERE amount IS NOT NULL AND ($1::text IS NULL OR tahap = $1)
          AND (check_failure IS NOT NULL OR transfer <> 'CREDITED')
        """,
    ),
    "blocked": WorkList(
        "Money that is in the account and blocked since a cycle failed",
        "a compliant cycle, or the end of an investigation by two people",
        """
        SELECT payment::text AS id, family, region, tahap, 'HELD' AS reason, NULL::date AS since,
               NULL::date AS due_on, amount - coalesce(cut, 0) AS rupiah, 1 AS times,
               coalesce(bank, '') AS reference
        FROM payment WHERE transfer = 'CREDITED' AND hold = 'HELD'
          AND ($1::text IS NULL OR tahap = $1)
          AND NOT EXISTS (SELECT FROM movement WHERE movement.payment = payment.payment)
        """,
    ),
    "deferred": WorkList(
        "Payments that left their run or are withheld by name, and why",
        "what is said as the reason is set right; a supplementary run pays",
        """
        SELECT payment::text AS id, family, region, tahap, coalesce(deferred, withheld) AS reason,
               (failed_at AT TIME ZONE 'UTC')::date AS since, NULL::date AS due_on,
               amount - coalesce(cut, 0) AS rupiah, 1 AS times, kind AS reference
        FROM payment WHERE amount IS NOT NULL AND ($1::text IS NULL OR tahap = $1)
          AND (deferred IS NOT NULL OR withheld IS NOT NULL)
          AND NOT EXISTS (SELECT FROM payment AS later
                          WHERE later.tahap = payment.tahap AND later.family = payment.family
                            AND later.transfer = 'CREDITED')
        """,
    ),
    "on-hold": WorkList(
        "Families that two people hold, until a day or until they end it",
        "two people end it: POST /families/{family}/holds/end-proposal of payments",
        """
        SELECT family || '/' || number AS id, family, home_within(family) AS region,
               coalesce(from_tahap, '') AS tahap, coalesce(reason, '') AS reason,
               (placed_at AT TIME ZONE 'UTC')::date AS since, last_day AS due_on,
               NULL::bigint AS rupiah, 1 AS times, coalesce(kind, '') AS reference
        FROM administrative_hold WHERE ended IS NULL AND ($1::text IS NULL OR from_tahap = $1)
        """,
    ),
    "unverified": WorkList(
        "Families of whose duties something is not recorded: which duties, and how many months",
        "the school's or the facility's record, before the list is frozen",
        """
        SELECT tahap || '/' || family AS id, family, region, tahap, reason, NULL::date AS since,
               NULL::date AS due_on, NULL::bigint AS rupiah, times, '' AS reference
        FROM (SELECT tahap, family, region, count(*)::int AS times,
                     string_agg(DISTINCT duty ->> 'duty', ';' ORDER BY duty ->> 'duty') AS reason
              FROM tahap_row JOIN evaluation USING (tahap, family),
                   json_array_elements(duties -> 'duties') AS duty
              WHERE tahap = $1 AND result = 'UNVERIFIED' AND duty ->> 'outcome' = 'UNVERIFIED'
              GROUP BY tahap, family, region) AS missing
        """,
        of_a_tahap=True,
    ),
    "next-failure": WorkList(
        "Families that have failed so often in a row that the next failure opens an investigation",
        "a compliant cycle",
        """
        SELECT tahap || '/' || family AS id, family, region, tahap, 'FAILED' AS reason,
               NULL::date AS since, NULL::date AS due_on, NULL::bigint AS rupiah, counter AS times,
               '' AS reference
        FROM tahap_row JOIN evaluation USING (tahap, family)
        WHERE tahap = $1 AND result = 'FAILED' AND counter + 1 = (
            SELECT (body -> 'terms' ->> 'failures_to_investigation')::int FROM tahap_terms
            WHERE tahap_terms.tahap = $1 AND type = 'EvaluationAnnounced'
            ORDER BY position DESC LIMIT 1)
        """,
        of_a_tahap=True,
    ),
    "investigations": WorkList(
        "Families under investigation, since which tahap",
        "two people decide: POST /investigations/{family} of conditionality",
        """
        SELECT tahap || '/' || family AS id, family, region, tahap, standing AS reason,
               NULL::date AS since, NULL::date AS due_on, amount AS rupiah, 1 AS times,
               '' AS reference
        FROM investigation JOIN tahap_row USING (tahap, family)
        WHERE standing = 'INVESTIGATION' AND ($1::text IS NULL OR tahap = $1)
          AND NOT EXISTS (SELECT FROM investigation AS later
                          WHERE later.family = investigation.family
                            AND later.tahap > investigation.tahap
                            AND later.standing IN ('TERMINATED', 'CLEARED', 'WITHDRAWN'))
        """,
    ),
    "corrections": WorkList(
        "Cycles that late facts would change, and their new result",
        "another person than who recorded the fact decides: /corrections of conditionality",
        f"SELECT * FROM ({_LATEST_PROPOSAL.format(kind='CORRECTION')}) AS latest "  # noqa: S608 - of texts here
        "WHERE standing = 'WAITING'",
    ),
    "reopenings": WorkList(
        "Families without a category that a late fact would bring back into a tahap",
        "another person decides: POST /reopenings/{family}/{tahap}/decision of registry",
        f"SELECT * FROM ({_LATEST_PROPOSAL.format(kind='REOPENING')}) AS latest "  # noqa: S608 - of texts here
        "WHERE standing = 'WAITING'",
    ),
    "appeals": WorkList(
        "Appeals that nobody has decided yet, and what each is against",
        "two people decide: /cases/{case}/appeal of complaints",
        """
        SELECT case_id::text AS id, appeal.family, region, tahap, effect AS reason,
               appeal.received_on AS since, NULL::date AS due_on, NULL::bigint AS rupiah,
               1 AS times, case_id::text AS reference
        FROM appeal JOIN complaint_case USING (case_id)
        WHERE refused = '' AND (outcome IS NULL OR decision <= refused_decision)
          AND ($1::text IS NULL OR tahap = $1)
        """,
    ),
    "cases": WorkList(
        "Cases that are not resolved, by their category, with the day on which each is due",
        "the office that has it resolves it: POST /cases/{case}/resolution of complaints",
        """
        SELECT case_id::text AS id, family, region, '' AS tahap, category AS reason,
               received_on AS since, due_on, NULL::bigint AS rupiah, 1 AS times,
               coalesce(level, '') || ':' || standing AS reference
        FROM stood WHERE standing IN ('OPEN', 'PAUSED') AND $1::text IS NULL
        """,
        STOOD.format(day="(now() AT TIME ZONE 'Asia/Jakarta')::date", within="true"),
    ),
    "sessions-missed": WorkList(
        "Families that were absent from a session of their group, and how often in the tahap",
        "a visit of the facilitator; a mark is set right by p2k2",
        """
        SELECT tahap || '/' || taking_part.family AS id, taking_part.family, taking_part.region,
               tahap, 'ABSENT' AS reason, NULL::date AS since, NULL::date AS due_on,
               NULL::bigint AS rupiah, times, coalesce(group_id, '') AS reference
        FROM taking_part JOIN (SELECT family, count(*)::int AS times FROM mark
                               WHERE status = 'A' GROUP BY family) AS missed USING (family)
        LEFT JOIN family_group USING (family)
        """,
        TAKING_PART,
        of_a_tahap=True,
    ),
}

_WAITING: Final = """
WITH {tables} source AS ({source}), waiting AS (
    SELECT id COLLATE "C" AS id, family::text, coalesce(region, '') AS region, tahap, reason, since,
           due_on, rupiah, times, reference, {rank} AS rank
    FROM source
    WHERE EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
                  WHERE coalesce(region, '') COLLATE "C" >= low
                    AND coalesce(region, '') COLLATE "C" < high)
      AND NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = source.family)
      AND ($4::text IS NULL OR reason = $4)
)
"""
_LISTED: Final = f"""{_WAITING}
SELECT * FROM waiting WHERE $5::bigint IS NULL OR (rank, id) > ($5, $6)
ORDER BY rank, id LIMIT $7
"""  # noqa: S608 - of texts that stand here
_COUNTED: Final = f"""{_WAITING}
SELECT reason, left(region, $5) AS area, count(*) AS rows FROM waiting GROUP BY 1, 2
"""  # noqa: S608 - of texts that stand here
# A row without the value comes last.
_PLACES: Final[Mapping[SortName, str]] = {
    "id": "0::bigint",
    "since": "coalesce(since - date '1970-01-01', 10000000)::bigint",
    "-since": "coalesce(date '1970-01-01' - since, 10000000)::bigint",
    "due_on": "coalesce(due_on - date '1970-01-01', 10000000)::bigint",
    "rupiah": "coalesce(rupiah, 9000000000000000000)",
    "-rupiah": "coalesce(-rupiah, 9000000000000000000)",
}

Rank: TypeAlias = tuple[int, str]
"""The key of a row in the order asked for: the value sorted by, and the row's id."""


@dataclass(frozen=True, slots=True)
class WorkWanted:
    """Which list, of which regions; of one tahap, for one reason, in which order. None is any."""

    name: ListName
    regions: tuple[str, ...]
    tahap: str | None = None
    reason: str | None = None
    sort: SortName = "id"


@dataclass(frozen=True, slots=True)
class Work:
    """A row of a list: whose it is and where, why it waits, since and until when.

    `times` counts what the list says it does; `reference` is the list's own: a bank, a case.
    """

    id: str
    family: str | None
    region: str
    tahap: str
    reason: str
    since: date | None
    due_on: date | None
    rupiah: int | None
    times: int
    reference: str
    rank: int


async def work(reading: Reading, wanted: WorkWanted, after: Rank | None, limit: int) -> list[Work]:
    """The rows of a list behind a rank, in the order asked for."""
    statement = _statement(_LISTED, wanted)
    async with reading.within(wanted.regions) as connection:
        rows = await connection.fetch(
            statement,
            wanted.tahap,
            *region_ranges(wanted.regions),
            wanted.reason,
            *(after or (None, "")),
            limit,
        )
    return [_work(dict(row)) for row in rows]


async def counted(
    reading: Reading, wanted: WorkWanted, characters: int
) -> list[tuple[str, str, int]]:
    """(reason, area, rows) of a list, its areas by as many characters of their codes."""
    statement = _statement(_COUNTED, wanted)
    async with reading.within(wanted.regions) as connection:
        rows = await connection.fetch(
            statement, wanted.tahap, *region_ranges(wanted.regions), wanted.reason, characters
        )
    return [tuple(row) for row in rows]


def _statement(form: str, wanted: WorkWanted) -> str:
    found = LISTS[wanted.name]
    return form.format(
        tables=f"{found.tables}," if found.tables else "",
        source=found.source,
        rank=_PLACES[wanted.sort],
    )


def _work(row: dict[str, Any]) -> Work:
    return Work(**row)
