"""Figures of a tahap by area: sums over the rows of families, from the nation down to one family.

Every model is one statement that gives rows of families (region, family, key, and a number for
each of its columns); `figures` sums them by the areas of a level. A family counts in the area in
which it lived at the tahap's closing, so a past tahap's figures stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from libs.chassis.reading import Reading
from libs.chassis.regions import region_ranges
from services.projection.policy import INDICATORS, Indicator
from services.projection.policy.areas import CODE_LENGTHS, Level
from services.projection.tables.cases import STOOD
from services.projection.tables.sessions import TAKING_PART

ModelName: TypeAlias = Literal[
    "coverage",
    "designations",
    "components",
    "commitment",
    "payments",
    "failures",
    "returns",
    "sessions",
    "graduation",
    "indicators",
    "facilitators",
    "quality",
    "cases",
]


@dataclass(frozen=True, slots=True)
class Model:
    """The content of a model: of each column its meaning, and what its rows are told apart by.

    `source` selects region, family, key and the columns of families' rows of the tahap in $1;
    `tables` are common tables before it.
    """

    about: str
    key: str
    columns: Mapping[str, str]
    source: str
    tables: str = ""


_NOT_PAYABLE: Final = "('GRADUATED_NATURAL', 'GRADUATION_PENDING')"

_COVERAGE: Final = Model(
    "Families of a tahap and what became of their money",
    "",
    {
        "families": "families taking part",
        "entitled_idr": "rupiah entitled",
        "cut_idr": "rupiah cut for a failed cycle",
        "credited_idr": "rupiah in accounts, blocked ones too",
        "paid_idr": "rupiah in accounts and free",
        "paid": "families paid",
        "blocked": "families whose money is in the account and blocked",
        "transfer_failed": "families whose bank refused the transfer",
        "account_failed": "families whose account failed its check",
        "no_valid_payee": "families without a payee who may receive",
        "withheld": "families whose money is withheld by name",
        "pending": "families on whose money nobody has answered yet",
        "graduated": "families that left for want of a category",
        "graduation_pending": "families whose term without a category runs",
    },
    f"""
    SELECT region, family, '' AS key,
           (disposition NOT IN {_NOT_PAYABLE})::int AS families,
           amount AS entitled_idr, cut AS cut_idr,
           CASE WHEN transfer = 'CREDITED' THEN amount - cut ELSE 0 END AS credited_idr,
           CASE WHEN disposition = 'PAID' THEN amount - cut ELSE 0 END AS paid_idr,
           (disposition = 'PAID')::int AS paid,
           (disposition = 'BLOCKED')::int AS blocked,
           (disposition = 'TRANSFER_FAILED')::int AS transfer_failed,
           (disposition = 'ACCOUNT_FAILED')::int AS account_failed,
           (disposition = 'NO_VALID_PAYEE')::int AS no_valid_payee,
           (disposition = 'WITHHELD')::int AS withheld,
           (disposition = 'PENDING')::int AS pending,
           (disposition = 'GRADUATED_NATURAL')::int AS graduated,
           (disposition = 'GRADUATION_PENDING')::int AS graduation_pending
    FROM tahap_row WHERE tahap = $1
    """,  # noqa: S608 - of texts that stand here
)
_DESIGNATIONS: Final = Model(
    "Families by the judgement of their first closing, up to the tahap",
    "status, and behind a colon the reason of one that is not ELIGIBLE",
    {"families": "families judged so"},
    """
    SELECT region, family, status || coalesce(':' || nullif(reason, ''), '') AS key, 1 AS families
    FROM designation WHERE tahap <= $1
    """,
)
_COMPONENTS: Final = Model(
    "Members that count for money, by category",
    "category",
    {"families": "families with such a member", "members": "members"},
    """
    SELECT region, family, split_part(part, ':', 1) AS key, 1 AS families,
           split_part(part, ':', 2)::int AS members
    FROM tahap_row, unnest(string_to_array(nullif(components, ''), ';')) AS part
    WHERE tahap = $1
    """,
)
_COMMITMENT: Final = Model(
    "Families by the result of the tahap's cycle, and what follows from it",
    "",
    {
        "compliant": "families that kept every duty",
        "failed": "families that failed one",
        "unverified": "families of whom something is not known",
        "suspended": "families whose money of the tahap is blocked",
        "investigated": "families under investigation since the tahap",
        "terminated": "families that two people had leave the programme",
        "cleared": "families that an investigation did not confirm",
    },
    """
    SELECT region, family, '' AS key, (commitment = 'COMPLIANT')::int AS compliant,
           (commitment = 'FAILED')::int AS failed, (commitment = 'UNVERIFIED')::int AS unverified,
           (disposition = 'BLOCKED')::int AS suspended,
           coalesce((standing = 'INVESTIGATION')::int, 0) AS investigated,
           coalesce((standing = 'TERMINATED')::int, 0) AS terminated,
           coalesce((standing = 'CLEARED')::int, 0) AS cleared
    FROM tahap_row LEFT JOIN investigation USING (tahap, family) WHERE tahap = $1
    """,
)
_PAYMENTS: Final = Model(
    "The way of the tahap's money, from entitled to credited",
    "bank; empty before a payment is in an order",
    {
        "entitled": "payments entitled",
        "entitled_idr": "rupiah entitled",
        "refused": "payments that never were in an order: payee, account, withheld or deferred",
        "ordered": "payments in an order",
        "ordered_idr": "rupiah ordered",
        "credited": "payments that the bank credited",
        "credited_idr": "rupiah credited",
        "blocked": "credited payments that were blocked",
        "failed": "payments that the bank refused",
        "failed_idr": "rupiah that the bank refused",
        "waiting": "ordered payments that the bank has not answered",
        "waiting_idr": "rupiah that the bank has not answered for",
    },
    """
    SELECT region, family, coalesce(bank, '') AS key, 1 AS entitled, amount AS entitled_idr,
           (instructed IS NULL AND (NOT payee_valid OR check_failure IS NOT NULL
                OR withheld IS NOT NULL OR deferred IS NOT NULL))::int AS refused,
           coalesce(instructed, false)::int AS ordered,
           CASE WHEN instructed THEN amount - coalesce(cut, 0) ELSE 0 END AS ordered_idr,
           coalesce((transfer = 'CREDITED')::int, 0) AS credited,
           CASE WHEN transfer = 'CREDITED' THEN amount - coalesce(cut, 0) ELSE 0 END
               AS credited_idr,
           coalesce((transfer = 'CREDITED' AND hold = 'HELD')::int, 0) AS blocked,
           coalesce((transfer <> 'CREDITED')::int, 0) AS failed,
           CASE WHEN transfer <> 'CREDITED' THEN amount - coalesce(cut, 0) ELSE 0 END
               AS failed_idr,
           coalesce((instructed AND transfer IS NULL)::int, 0) AS waiting,
           CASE WHEN instructed AND transfer IS NULL THEN amount - coalesce(cut, 0) ELSE 0 END
               AS waiting_idr
    FROM payment WHERE tahap = $1 AND amount IS NOT NULL
    """,
)
_FAILURES: Final = Model(
    "Payments that did not reach an account, by reason and age",
    "reason",
    {
        "payments": "payments that it stopped",
        "rupiah": "rupiah that it stopped",
        "under_30_days": "of these payments, stopped less than 30 days ago",
        "days_30_to_89": "of these payments, stopped 30 to 89 days ago",
        "days_90_and_over": "of these payments, stopped 90 days ago or longer",
    },
    """
    SELECT region, family, reason AS key, 1 AS payments, rupiah,
           coalesce((days < 30)::int, 0) AS under_30_days,
           coalesce((days >= 30 AND days < 90)::int, 0) AS days_30_to_89,
           coalesce((days >= 90)::int, 0) AS days_90_and_over
    FROM (
        SELECT region, family, amount - coalesce(cut, 0) AS rupiah,
               extract(day FROM now() - failed_at)::int AS days,
               CASE WHEN deferred IS NOT NULL THEN deferred
                    WHEN NOT payee_valid THEN 'NO_VALID_PAYEE'
                    WHEN withheld IS NOT NULL THEN withheld
                    WHEN check_failure IS NOT NULL THEN check_failure
                    WHEN transfer <> 'CREDITED' THEN transfer END AS reason
        FROM payment WHERE tahap = $1 AND amount IS NOT NULL
    ) AS stopped WHERE reason IS NOT NULL
    """,
)
_RETURNS: Final = Model(
    "Money that moved at the tahap: back to the treasury, or free to the family",
    "reason",
    {
        "families": "families whose money it was",
        "returned_idr": "rupiah back to the treasury",
        "released_idr": "rupiah that was blocked and is free",
    },
    """
    SELECT coalesce(here.region, payment.region) AS region, movement.family, reason AS key,
           1 AS families,
           CASE WHEN what = 'RETURNED' THEN movement.amount ELSE 0 END AS returned_idr,
           CASE WHEN what = 'RELEASED' THEN movement.amount ELSE 0 END AS released_idr
    FROM movement LEFT JOIN payment USING (payment)
    LEFT JOIN (SELECT DISTINCT ON (family) family, region FROM tahap_row
               WHERE tahap = $1 ORDER BY family, region) AS here
           ON here.family = movement.family
    WHERE at_tahap = $1
    UNION ALL
    SELECT region, family, 'TRANSFER_FAILED', 1, amount - coalesce(cut, 0), 0
    FROM payment WHERE tahap = $1 AND amount IS NOT NULL AND transfer <> 'CREDITED'
    """,
)
_SESSIONS: Final = Model(
    "Families at group sessions (P2K2) in the tahap's months",
    "",
    {
        "families": "families taking part",
        "reached": "families that were present at least once",
        "present": "marks of presence",
        "excused": "marks of excused absence",
        "absent": "marks of absence",
    },
    """
    SELECT region, family, '' AS key, 1 AS families, coalesce((present > 0)::int, 0) AS reached,
           coalesce(present, 0) AS present, coalesce(excused, 0) AS excused,
           coalesce(absent, 0) AS absent
    FROM taking_part LEFT JOIN (
        SELECT family, count(*) FILTER (WHERE status = 'H') AS present,
               count(*) FILTER (WHERE status = 'I') AS excused,
               count(*) FILTER (WHERE status = 'A') AS absent
        FROM mark GROUP BY family
    ) AS marked USING (family)
    """,
    TAKING_PART,
)
_GRADUATION: Final = Model(
    "Families without a category at the closing",
    "GRADUATED_NATURAL, GRADUATION_PENDING while their term runs, or REOPENED",
    {"families": "families"},
    """
    SELECT region, family, disposition AS key, 1 AS families FROM tahap_row
    WHERE tahap = $1
      AND disposition IN ('GRADUATED_NATURAL', 'GRADUATION_PENDING', 'REOPENED')
    """,
)
_INDICATORS: Final = Model(
    "The programme's indicators, each beside its target",
    "EDUCATION, HEALTH, P2K2 or TRANSFERS",
    {
        "whole": "families that an indicator is about; transfers that were ordered",
        "part": "families that were reached; transfers that failed",
    },
    """
    SELECT region, family, 'P2K2' AS key, 1 AS whole,
           (family IN (SELECT family FROM mark WHERE status = 'H'))::int AS part
    FROM taking_part
    UNION ALL
    SELECT region, family, of, 1, reached::int
    FROM taking_part JOIN evaluation USING (tahap, family),
         LATERAL (VALUES ('HEALTH', health), ('EDUCATION', education)) AS access (of, reached)
    WHERE reached IS NOT NULL
    UNION ALL
    SELECT region, family, 'TRANSFERS', 1, (transfer <> 'CREDITED')::int
    FROM tahap_row WHERE tahap = $1 AND account_check = 'OK'
    """,
    TAKING_PART,
)
_FACILITATORS: Final = Model(
    "Load of facilitators, by the villages of their groups",
    "facilitator",
    {
        "groups": "groups with a family taking part",
        "families": "families taking part",
        "reached": "families that were present at least once",
        "sessions": "sessions held in the tahap's months",
    },
    """
    SELECT region, family, facilitator AS key, 0 AS groups, 1 AS families,
           (family IN (SELECT family FROM mark WHERE status = 'H'))::int AS reached, 0 AS sessions
    FROM family_group WHERE family IN (SELECT family FROM taking_part)
    UNION ALL
    SELECT region, NULL, facilitator, 1, 0, 0, 0
    FROM (SELECT DISTINCT group_id, region, facilitator FROM family_group
          WHERE family IN (SELECT family FROM taking_part)) AS led
    UNION ALL
    SELECT region, NULL, facilitator, 0, 0, 0, 1 FROM held
    """,
    TAKING_PART,
)
_CASES: Final = Model(
    "Cases received up to the closing, as they stood at the end of its day, by office",
    "level that has the case, or had it when it was resolved",
    {
        "cases": "cases received",
        "open": "cases not resolved",
        "overdue": "of those not resolved, behind their day",
        "resolved": "cases resolved",
        "resolved_late": "of those resolved, behind their day",
    },
    """
    SELECT region, family, coalesce(level, '') AS key, 1 AS cases,
           (standing IN ('OPEN', 'PAUSED', 'LINKED'))::int AS open,
           (standing IN ('OPEN', 'PAUSED', 'LINKED')
            AND coalesce(closing_date > due_on, false))::int AS overdue,
           (standing IN ('RESOLVED', 'CLOSED'))::int AS resolved,
           (standing IN ('RESOLVED', 'CLOSED')
            AND coalesce(resolved_on > due_on, false))::int AS resolved_late
    FROM stood, tahap_day WHERE tahap = $1
    """,
    STOOD.format(day="(SELECT closing_date FROM tahap_day WHERE tahap = $1)"),
)
_QUALITY: Final = Model(
    "Families of whose data something is missing or wrong",
    "HOLD, NOT_COUNTED (a member) or NO_RECORD (of a duty), and behind a colon why or which",
    {"families": "families"},
    """
    SELECT region, family, 'HOLD:' || reason AS key, 1 AS families
    FROM designation WHERE tahap <= $1 AND status = 'HOLD'
    UNION ALL
    SELECT DISTINCT region, family, 'NOT_COUNTED:' || reason, 1
    FROM payment, unnest(not_counted) AS reason WHERE tahap = $1 AND amount IS NOT NULL
    UNION ALL
    SELECT DISTINCT region, family, 'NO_RECORD:' || (duty ->> 'duty'), 1
    FROM tahap_row JOIN evaluation USING (tahap, family),
         json_array_elements(duties -> 'duties') AS duty
    WHERE tahap = $1 AND result <> 'COMPLIANT' AND duty ->> 'outcome' = 'UNVERIFIED'
    """,
)

MODELS: Final[Mapping[ModelName, Model]] = {
    "coverage": _COVERAGE,
    "designations": _DESIGNATIONS,
    "components": _COMPONENTS,
    "commitment": _COMMITMENT,
    "payments": _PAYMENTS,
    "failures": _FAILURES,
    "returns": _RETURNS,
    "sessions": _SESSIONS,
    "graduation": _GRADUATION,
    "indicators": _INDICATORS,
    "facilitators": _FACILITATORS,
    "quality": _QUALITY,
    "cases": _CASES,
}

_SUMMED: Final = """
WITH {tables} source AS ({source}), placed AS (
    SELECT left(region, $4) COLLATE "C" AS area, {family} AS family, key COLLATE "C" AS key,
           {columns}
    FROM source
    WHERE EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
                  WHERE region COLLATE "C" >= low AND region COLLATE "C" < high) {alive}
), summed AS (
    SELECT area, family, key, {sums} FROM placed GROUP BY area, family, key
)
SELECT area, family, key, {columns}, {rank} AS rank FROM summed
WHERE $5::bigint IS NULL OR ({rank}, area, family, key) > ($5, $6, $7, $8)
ORDER BY rank, area, family, key LIMIT $9
"""
# Nothing is told of a family that was erased; in the sums of its area it stays.
_OF_FAMILIES: Final = """
AND family IS NOT NULL AND NOT EXISTS (
    SELECT FROM erased_family AS erased WHERE erased.family = source.family)
"""

Rank: TypeAlias = tuple[int, str, str, str]
"""The key of a row in the order asked for: the column's value, area, family, key."""


@dataclass(frozen=True, slots=True)
class FiguresWanted:
    """Which figures, of which regions, by the areas of a level; `sort` is a column's name, with a
    minus before it the greatest first, or "area"."""

    model: ModelName
    tahap: str
    regions: tuple[str, ...]
    level: Level
    sort: str = "area"


@dataclass(frozen=True, slots=True)
class Figure:
    """The numbers of one area, or family of it, for one key of the model."""

    area: str
    family: str
    key: str
    figures: Mapping[str, int]
    rank: Rank


async def figures(
    reading: Reading, wanted: FiguresWanted, after: Rank | None, limit: int
) -> list[Figure]:
    """The figures behind a rank, in the order asked for. Raises ValueError for no such column."""
    model = MODELS[wanted.model]
    async with reading.within(wanted.regions) as connection:
        rows = await connection.fetch(
            _statement(model, wanted),
            wanted.tahap,
            *region_ranges(wanted.regions),
            CODE_LENGTHS[wanted.level],
            *(after or (None, "", "", "")),
            limit,
        )
    return [_figure(model, dict(row)) for row in rows]


def _figure(model: Model, row: Mapping[str, Any]) -> Figure:
    area, family, key = row["area"], row["family"], row["key"]
    counted = {name: int(row[name]) for name in model.columns}
    return Figure(area, family, key, counted, (row["rank"], area, family, key))


def _statement(model: Model, wanted: FiguresWanted) -> str:
    families = wanted.level == "FAMILY"
    return _SUMMED.format(
        tables=f"{model.tables}," if model.tables else "",
        source=model.source,
        columns=", ".join(model.columns),
        sums=", ".join(f"sum({name})::bigint AS {name}" for name in model.columns),
        family="family::text" if families else "''",
        alive=_OF_FAMILIES if families else "",
        rank=_rank(model, wanted.sort),
    )


def _rank(model: Model, sort: str) -> str:
    """The number by which rows are ordered before their names."""
    column = sort.removeprefix("-")
    if sort == "area":
        return "0::bigint"
    if column not in model.columns:
        raise ValueError(f"no column {sort}")
    return f"-{column}" if sort.startswith("-") else column


async def indicators(
    reading: Reading, regions: tuple[str, ...], tahap: str
) -> dict[Indicator, tuple[int, int]]:
    """Whole and part of each indicator, over all of these regions."""
    wanted = FiguresWanted("indicators", tahap, regions, "NATION")
    found = {
        row.key: (row.figures["whole"], row.figures["part"])
        for row in await figures(reading, wanted, None, len(INDICATORS))
    }
    return {name: found.get(name, (0, 0)) for name in INDICATORS}


async def is_announced(reading: Reading, regions: Sequence[str], tahap: str) -> bool:
    """True for a tahap whose closing was announced."""
    async with reading.within(regions) as connection:
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM tahap_day WHERE tahap = $1)", tahap
        )
    return found


async def tahaps(
    reading: Reading, regions: Sequence[str], before: str | None, limit: int
) -> list[dict[str, Any]]:
    """The tahaps that were announced, latest first, each with its months and closing date; those
    before one."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(
            """SELECT tahap, closing_date, array_agg(month ORDER BY month) AS months
               FROM tahap_day JOIN tahap_month USING (tahap)
               WHERE $1::text IS NULL OR tahap < $1
               GROUP BY tahap, closing_date ORDER BY tahap DESC LIMIT $2""",
            before,
            limit,
        )
    return [dict(row) for row in rows]
