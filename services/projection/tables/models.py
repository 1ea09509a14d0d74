"""Models of figures: of each number its meaning, and the statement that counts it.

A model counts rows of families: where a family lived at the tahap's closing, by a key, a number for
each column. What a village has, a district or the nation, is the sum of these rows, and nothing
else: `sums.py` keeps the sums of villages, `figures.py` answers from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from services.projection.tables.cases import STOOD

ModelName: TypeAlias = Literal[
    "coverage",
    "dispositions",
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
class Source:
    """A part of a model: selects region, family, key, a `day` where the model has ages, and the
    columns that are counted, of families' rows.

    Its texts are of the tahap in $1, and of what lies {within}, a condition on the column
    `region`. One that is `lasting` counts in every tahap from its own on, and has {tahap} for the
    condition on the column of that name. `tables` are common tables before it.
    """

    select: str
    tables: str = ""
    lasting: bool = False

    def within(self, condition: str, *, up_to_tahap: bool) -> str:
        """The statement of rows that lie within; one that is lasting of its tahap alone, or of all
        up to it."""
        tahap = "tahap <= $1" if up_to_tahap else "tahap = $1"
        text = f"WITH {self.tables} {self.select}" if self.tables else self.select
        return text.replace("{within}", condition).replace("{tahap}", tahap)


@dataclass(frozen=True, slots=True)
class Model:
    """The content of a model: of each column its meaning, and what its rows are told apart by.

    `of_age` are columns that follow from a counted one and the row's day, as expressions with the
    number of days since ({days}).
    """

    about: str
    key: str
    columns: Mapping[str, str]
    sources: tuple[Source, ...]
    of_age: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> list[str]:
        """The columns that sources select, in the order in which their sums are kept."""
        return [name for name in self.columns if name not in self.of_age]


_NOT_PAYABLE: Final = "('GRADUATED_NATURAL', 'GRADUATION_PENDING')"

# A family takes part in a tahap in which it has a row and has not graduated; an erased one counts
# nowhere.
_IS_TAKING_PART: Final = f"""
disposition NOT IN {_NOT_PAYABLE}
AND NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = tahap_row.family)
"""
_TAKING_PART: Final = f"""
taking_part AS MATERIALIZED (
    SELECT tahap, family, region FROM tahap_row
    WHERE tahap = $1 AND {{within}} AND {_IS_TAKING_PART}
)
"""  # noqa: S608 - of texts that stand here
# A session belongs to the tahap whose months hold its day.
_HELD: Final = """
standing = 'HELD' AND EXISTS (
    SELECT FROM tahap_month WHERE tahap_month.tahap = $1 AND month = to_char(held_on, 'YYYY-MM'))
"""
_MARKED: Final = f"""
marked AS MATERIALIZED (
    SELECT family, count(*) FILTER (WHERE status = 'H') AS present,
           count(*) FILTER (WHERE status = 'I') AS excused,
           count(*) FILTER (WHERE status = 'A') AS absent
    FROM (SELECT DISTINCT family FROM {{of}}) AS asked
    JOIN session_attendance USING (family) JOIN group_session USING (session)
    WHERE {_HELD} GROUP BY family
)
"""  # noqa: S608 - of texts that stand here
_AT_SESSIONS: Final = f"{_TAKING_PART}, {_MARKED.replace('{of}', 'taking_part')}"
# As in tahap_row, said by its tables: these are looked up family by family, and that view is not.
_IS_PAID: Final = """
EXISTS (SELECT FROM payment AS paid WHERE paid.tahap = $1 AND paid.family = {of}.family
        AND paid.amount IS NOT NULL AND paid.deferred IS NULL)
"""
_IS_WITHOUT_CATEGORY: Final = """
EXISTS (SELECT FROM without_category AS unpaid
        WHERE unpaid.tahap = $1 AND unpaid.family = {of}.family {which})
"""
_HAS_GRADUATED: Final = """
EXISTS (SELECT FROM graduation AS gone WHERE gone.tahap = $1 AND gone.family = {of}.family)
"""
_LED: Final = f"""
led AS MATERIALIZED (
    SELECT family, group_id, region, facilitator FROM family_group
    WHERE {{within}} AND (
        {_IS_PAID.format(of="family_group")}
        OR {_IS_WITHOUT_CATEGORY.format(of="family_group", which="AND standing = 'REOPENED'")})
      AND NOT EXISTS (SELECT FROM erased_family AS erased
                      WHERE erased.family = family_group.family)
), {_MARKED.replace("{of}", "led")}
"""  # noqa: S608 - of texts that stand here
# Money counts where the family has its row of the tahap; of two rows, where the first code is.
_MOVED: Final = """
moved AS MATERIALIZED (
    SELECT family, reason, what, amount FROM movement
    WHERE at_tahap = $1 AND family IN (SELECT family FROM tahap_row WHERE tahap = $1 AND {within})
), at_closing AS MATERIALIZED (
    SELECT family, min(region COLLATE "C") AS region FROM tahap_row
    WHERE tahap = $1 AND family = ANY(ARRAY(SELECT family FROM moved)) GROUP BY family
)
"""

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
    (
        Source(
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
            FROM tahap_row WHERE tahap = $1 AND {{within}}
            """,  # noqa: S608 - of texts that stand here
        ),
    ),
)
_DISPOSITIONS: Final = Model(
    "Families and money of a tahap by the state that the money has come to",
    "DISPOSITION:COMMITMENT:CODE, the bank's or the check's where that failed, else empty",
    {
        "families": "families",
        "entitled_idr": "rupiah entitled",
        "cut_idr": "rupiah cut for a failed cycle",
        "released_idr": "rupiah that was blocked and is free",
        "returned_idr": "rupiah back to the treasury",
        "credited_idr": "rupiah in accounts, blocked ones too",
    },
    (
        Source(
            """
            SELECT region, family,
                   disposition || ':' || commitment || ':' ||
                       CASE WHEN disposition = 'ACCOUNT_FAILED' THEN account_check
                            WHEN disposition = 'TRANSFER_FAILED' THEN transfer ELSE '' END AS key,
                   1 AS families, amount AS entitled_idr, cut AS cut_idr,
                   released AS released_idr, returned AS returned_idr,
                   CASE WHEN transfer = 'CREDITED' THEN amount - cut ELSE 0 END AS credited_idr
            FROM tahap_row WHERE tahap = $1 AND {within}
            """,
        ),
    ),
)
_DESIGNATIONS: Final = Model(
    "Families by the judgement of their first closing, up to the tahap",
    "status, and behind a colon the reason of one that is not ELIGIBLE",
    {"families": "families judged so"},
    (
        Source(
            """
            SELECT region, family, status || coalesce(':' || nullif(reason, ''), '') AS key,
                   1 AS families
            FROM designation WHERE {tahap} AND {within}
            """,
            lasting=True,
        ),
    ),
)
_COMPONENTS: Final = Model(
    "Members that count for money, by category",
    "category",
    {"families": "families with such a member", "members": "members"},
    (
        Source(
            """
            SELECT region, family, split_part(part, ':', 1) AS key, 1 AS families,
                   split_part(part, ':', 2)::int AS members
            FROM tahap_row, unnest(string_to_array(nullif(components, ''), ';')) AS part
            WHERE tahap = $1 AND {within}
            """,
        ),
    ),
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
    (
        Source(
            """
            SELECT region, family, '' AS key, (commitment = 'COMPLIANT')::int AS compliant,
                   (commitment = 'FAILED')::int AS failed,
                   (commitment = 'UNVERIFIED')::int AS unverified,
                   (disposition = 'BLOCKED')::int AS suspended,
                   coalesce((standing = 'INVESTIGATION')::int, 0) AS investigated,
                   coalesce((standing = 'TERMINATED')::int, 0) AS terminated,
                   coalesce((standing = 'CLEARED')::int, 0) AS cleared
            FROM tahap_row LEFT JOIN investigation USING (tahap, family)
            WHERE tahap = $1 AND {within}
            """,
        ),
    ),
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
    (
        Source(
            """
            SELECT region, family, coalesce(bank, '') AS key, 1 AS entitled, amount AS entitled_idr,
                   (instructed IS NULL AND (NOT payee_valid OR check_failure IS NOT NULL
                        OR withheld IS NOT NULL OR deferred IS NOT NULL))::int AS refused,
                   coalesce(instructed, false)::int AS ordered,
                   CASE WHEN instructed THEN due ELSE 0 END AS ordered_idr,
                   coalesce((transfer = 'CREDITED')::int, 0) AS credited,
                   CASE WHEN transfer = 'CREDITED' THEN due ELSE 0 END AS credited_idr,
                   coalesce((transfer = 'CREDITED' AND hold = 'HELD')::int, 0) AS blocked,
                   coalesce((transfer <> 'CREDITED')::int, 0) AS failed,
                   CASE WHEN transfer <> 'CREDITED' THEN due ELSE 0 END AS failed_idr,
                   coalesce((instructed AND transfer IS NULL)::int, 0) AS waiting,
                   CASE WHEN instructed AND transfer IS NULL THEN due ELSE 0 END AS waiting_idr
            FROM (SELECT *, amount - coalesce(cut, 0) AS due FROM payment) AS each
            WHERE tahap = $1 AND {within} AND amount IS NOT NULL
            """,
        ),
    ),
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
    (
        Source(
            """
            SELECT region, family, reason AS key, day, 1 AS payments, rupiah
            FROM (
                SELECT region, family, amount - coalesce(cut, 0) AS rupiah,
                       (failed_at AT TIME ZONE 'UTC')::date AS day,
                       CASE WHEN deferred IS NOT NULL THEN deferred
                            WHEN NOT payee_valid THEN 'NO_VALID_PAYEE'
                            WHEN withheld IS NOT NULL THEN withheld
                            WHEN check_failure IS NOT NULL THEN check_failure
                            WHEN transfer <> 'CREDITED' THEN transfer END AS reason
                FROM payment WHERE tahap = $1 AND {within} AND amount IS NOT NULL
            ) AS stopped WHERE reason IS NOT NULL
            """,
        ),
    ),
    {
        "under_30_days": "CASE WHEN {days} < 30 THEN payments ELSE 0 END",
        "days_30_to_89": "CASE WHEN {days} BETWEEN 30 AND 89 THEN payments ELSE 0 END",
        "days_90_and_over": "CASE WHEN {days} >= 90 THEN payments ELSE 0 END",
    },
)
_RETURNS: Final = Model(
    "Money that moved at the tahap: back to the treasury, or free to the family",
    "reason",
    {
        "families": "families whose money it was",
        "returned_idr": "rupiah back to the treasury",
        "released_idr": "rupiah that was blocked and is free",
    },
    (
        Source(
            f"""
            SELECT region, family, reason AS key, 1 AS families,
                   CASE WHEN what = 'RETURNED' THEN amount ELSE 0 END AS returned_idr,
                   CASE WHEN what = 'RELEASED' THEN amount ELSE 0 END AS released_idr
            FROM moved JOIN at_closing USING (family) WHERE {{within}}
            UNION ALL
            SELECT region, movement.family, reason, 1,
                   CASE WHEN what = 'RETURNED' THEN movement.amount ELSE 0 END,
                   CASE WHEN what = 'RELEASED' THEN movement.amount ELSE 0 END
            FROM payment JOIN movement USING (payment)
            WHERE {{within}} AND at_tahap = $1
              AND NOT {_IS_PAID.format(of="movement")}
              AND NOT {_IS_WITHOUT_CATEGORY.format(of="movement", which="")}
              AND NOT {_HAS_GRADUATED.format(of="movement")}
            UNION ALL
            SELECT region, family, 'TRANSFER_FAILED', 1, amount - coalesce(cut, 0), 0
            FROM payment
            WHERE tahap = $1 AND {{within}} AND amount IS NOT NULL AND transfer <> 'CREDITED'
            """,  # noqa: S608 - of texts that stand here
            _MOVED,
        ),
    ),
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
    (
        Source(
            """
            SELECT region, family, '' AS key, 1 AS families,
                   coalesce((present > 0)::int, 0) AS reached, coalesce(present, 0) AS present,
                   coalesce(excused, 0) AS excused, coalesce(absent, 0) AS absent
            FROM taking_part LEFT JOIN marked USING (family)
            """,
            _AT_SESSIONS,
        ),
    ),
)
_GRADUATION: Final = Model(
    "Families without a category at the closing",
    "GRADUATED_NATURAL, GRADUATION_PENDING while their term runs, or REOPENED",
    {"families": "families"},
    (
        Source(
            """
            SELECT region, family, disposition AS key, 1 AS families FROM tahap_row
            WHERE tahap = $1 AND {within}
              AND disposition IN ('GRADUATED_NATURAL', 'GRADUATION_PENDING', 'REOPENED')
            """,
        ),
    ),
)
_INDICATORS: Final = Model(
    "The programme's indicators, each beside its target",
    "EDUCATION, HEALTH, P2K2 or TRANSFERS",
    {
        "whole": "families that an indicator is about; transfers that were ordered",
        "part": "families that were reached; transfers that failed",
    },
    (
        Source(
            """
            SELECT region, family, 'P2K2' AS key, 1 AS whole,
                   coalesce((present > 0)::int, 0) AS part
            FROM taking_part LEFT JOIN marked USING (family)
            UNION ALL
            SELECT region, family, of, 1, reached::int
            FROM taking_part JOIN evaluation USING (tahap, family),
                 LATERAL (VALUES ('HEALTH', health), ('EDUCATION', education))
                     AS access (of, reached)
            WHERE reached IS NOT NULL
            UNION ALL
            SELECT region, family, 'TRANSFERS', 1, (transfer <> 'CREDITED')::int
            FROM tahap_row WHERE tahap = $1 AND {within} AND account_check = 'OK'
            """,
            _AT_SESSIONS,
        ),
    ),
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
    (
        Source(
            f"""
            SELECT region, family, facilitator AS key, 0 AS groups, 1 AS families,
                   coalesce((present > 0)::int, 0) AS reached, 0 AS sessions
            FROM led LEFT JOIN marked USING (family)
            UNION ALL
            SELECT region, NULL, facilitator, 1, 0, 0, 0
            FROM (SELECT DISTINCT group_id, region, facilitator FROM led) AS groups
            UNION ALL
            SELECT region, NULL, facilitator, 0, 0, 0, 1 FROM group_session
            WHERE {{within}} AND {_HELD}
            """,  # noqa: S608 - of texts that stand here
            _LED,
        ),
    ),
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
    (
        Source(
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
            STOOD.replace("{day}", "(SELECT closing_date FROM tahap_day WHERE tahap = $1)"),
        ),
    ),
)
_QUALITY: Final = Model(
    "Families of whose data something is missing or wrong",
    "HOLD, NOT_COUNTED (a member) or NO_RECORD (of a duty), and behind a colon why or which",
    {"families": "families"},
    (
        Source(
            """
            SELECT DISTINCT region, family, 'NOT_COUNTED:' || reason AS key, 1 AS families
            FROM payment, unnest(not_counted) AS reason
            WHERE tahap = $1 AND {within} AND amount IS NOT NULL
            UNION ALL
            SELECT DISTINCT region, family, 'NO_RECORD:' || (duty ->> 'duty'), 1
            FROM tahap_row JOIN evaluation USING (tahap, family),
                 json_array_elements(duties -> 'duties') AS duty
            WHERE tahap = $1 AND {within} AND result <> 'COMPLIANT'
              AND duty ->> 'outcome' = 'UNVERIFIED'
            """,
        ),
        Source(
            """
            SELECT region, family, 'HOLD:' || reason AS key, 1 AS families
            FROM designation WHERE {tahap} AND {within} AND status = 'HOLD'
            """,
            lasting=True,
        ),
    ),
)

MODELS: Final[Mapping[ModelName, Model]] = {
    "coverage": _COVERAGE,
    "dispositions": _DISPOSITIONS,
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


def part_names(name: ModelName) -> list[tuple[str, Source]]:
    """The sources of a model, each under the name of its own by which its sums are kept."""
    sources = MODELS[name].sources
    return [(f"{name}:{number}", source) for number, source in enumerate(sources)]


NO_DAY: Final = "date '0001-01-01'"
"""The day of what has no age, or of which it is not known."""
DEFINITION: Final = hashlib.sha256(repr(MODELS).encode()).hexdigest()
"""Changes with what any model counts: sums made by another definition are not these models'."""
