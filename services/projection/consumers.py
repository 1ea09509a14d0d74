"""Every message becomes keyed rows: what it says about its family or tahap, and its timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from libs.chassis.catalogue import catalogue
from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.store.transaction import Transaction
from services.projection.contract import (
    CASE_TOPIC,
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    PAYMENT_TOPIC,
    SESSION_TOPIC,
    TAHAP_TOPIC,
    AccountCheckFailed,
    AdministrativeHoldEnded,
    AdministrativeHoldPlaced,
    AppealDecisionRefused,
    AppealNotPaused,
    AttendanceRecorded,
    Cleared,
    ClosingAnnounced,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    CycleWithdrawn,
    FamiliesJoined,
    FamiliesLeft,
    FamilyDesignated,
    FamilyErased,
    FamilyGraduated,
    FamilyReopened,
    FamilyUnlisted,
    GraduationPending,
    InvestigationOpened,
    InvestigationWithdrawn,
    OfCase,
    OfFamily,
    OfTahap,
    PaymentCredited,
    PaymentDeferred,
    PaymentEntitled,
    PaymentInstructed,
    PaymentReleased,
    PaymentReturned,
    PaymentVoided,
    PaymentWithheld,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
    SessionCancelled,
    SessionCorrected,
    SessionHeld,
    Terminated,
    TransferFailed,
)
from services.projection.tables.cases import keep_cases
from services.projection.tables.kept_types import FACTS, OF_TAHAP
from services.projection.tables.sessions import keep_months, keep_sessions, of_families

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """A statement that writes rows at once, given by columns; the first `keys` of them name a
    row."""

    sql: str
    keys: int


Rows: TypeAlias = dict[Write, dict[Row, Row]]
"""The rows of each write by their keys, in the order in which they came."""


def _put(table: str, keys: str, columns: str) -> Write:
    """The write of rows of a table ("name type, name type"), each in place of the one there is."""
    names, kinds = zip(
        *(column.split() for column in f"{keys}, {columns}".split(", ")), strict=True
    )
    count, arrays = keys.count(",") + 1, [f"${n}::{kind}[]" for n, kind in enumerate(kinds, 1)]
    updated = ", ".join(f"{name} = excluded.{name}" for name in names[count:])
    sql = f"""
        INSERT INTO {table} ({", ".join(names)}) SELECT * FROM unnest({", ".join(arrays)})
        ON CONFLICT ({", ".join(names[:count])}) DO UPDATE SET {updated}
    """  # noqa: S608 - of names that stand below
    return Write(sql, count)


DESIGNATED = _put("designation", "family uuid", "tahap text, status text, reason text, region text")
GRADUATED = _put("graduation", "family uuid", "tahap text, kind text, region text")
WITHOUT_CATEGORY = _put("without_category", "tahap text, family uuid", "region text, standing text")
EVALUATED = Write(
    """
    INSERT INTO evaluation
        (tahap, family, revision, result, counter, failing, duties, health, education)
    SELECT tahap, family, revision, result, counter, failing::integer[], duties, health, education
    FROM unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::int[], $6::text[], $7::json[],
                $8::bool[], $9::bool[])
        AS judged
            (tahap, family, revision, result, counter, failing, duties, health, education)
    ON CONFLICT (tahap, family) DO UPDATE
    SET revision = excluded.revision, result = excluded.result, counter = excluded.counter,
        failing = excluded.failing, duties = excluded.duties, health = excluded.health,
        education = excluded.education
    WHERE evaluation.revision < excluded.revision
    """,
    keys=2,
)
UNLISTED = Write(
    """
    WITH gone AS (SELECT * FROM unnest($1::uuid[], $2::text[]) AS gone (family, tahap)),
    judged AS (DELETE FROM designation USING gone
        WHERE designation.family = gone.family AND designation.tahap = gone.tahap),
    waiting AS (DELETE FROM without_category USING gone
        WHERE without_category.family = gone.family AND without_category.tahap = gone.tahap)
    DELETE FROM graduation USING gone
    WHERE graduation.family = gone.family AND graduation.tahap = gone.tahap
    """,
    keys=2,
)
WITHDRAWN = Write(
    """
    DELETE FROM evaluation USING unnest($1::text[], $2::uuid[]) AS gone (tahap, family)
    WHERE evaluation.tahap = gone.tahap AND evaluation.family = gone.family
    """,
    keys=2,
)
APPEAL_REFUSED = Write(
    """
    INSERT INTO appeal (case_id, family, tahap, effect, refused, refused_decision)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[])
    ON CONFLICT (case_id) DO UPDATE
    SET refused = CASE WHEN excluded.refused = '' THEN appeal.refused ELSE excluded.refused END,
        refused_decision = greatest(appeal.refused_decision, excluded.refused_decision)
    """,
    keys=1,
)
REFUSES_APPEAL = frozenset({"OUTSIDE_REGIONS", "ANOTHER_IS_OPEN", "APPEALED_TOO_OFTEN"})
"""The reasons by which an appeal is none; by others nothing waits for it, and it is decided."""
VOIDED = Write("DELETE FROM payment WHERE payment = ANY($1::uuid[])", keys=1)
INVESTIGATED = _put("investigation", "tahap text, family uuid", "standing text")
ENTITLED = Write(
    """
    INSERT INTO payment (payment, tahap, family, kind, region, components, amount, payee_valid,
                         benefit_policy, cut, not_counted)
    SELECT payment, tahap, family, kind, region, components, amount, payee_valid, benefit_policy,
           cut, not_counted::text[]
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                $7::bigint[], $8::boolean[], $9::text[], $10::bigint[], $11::text[])
        AS entitled (payment, tahap, family, kind, region, components, amount, payee_valid,
                     benefit_policy, cut, not_counted)
    ON CONFLICT (payment) DO UPDATE
    SET tahap = excluded.tahap, family = excluded.family, kind = excluded.kind,
        region = excluded.region, components = excluded.components, amount = excluded.amount,
        payee_valid = excluded.payee_valid, benefit_policy = excluded.benefit_policy,
        cut = excluded.cut, not_counted = excluded.not_counted
    """,
    keys=1,
)
CHECK_FAILED = _put("payment", "payment uuid", "check_failure text, failed_at timestamptz")
INSTRUCTED = _put("payment", "payment uuid", "instructed boolean, bank text")
CREDITED = _put("payment", "payment uuid", "transfer text, hold text, bank_reference text")
FAILED = _put("payment", "payment uuid", "transfer text, failed_at timestamptz")
WITHHELD = _put("payment", "payment uuid", "withheld text, failed_at timestamptz")
DEFERRED = _put("payment", "payment uuid", "deferred text, failed_at timestamptz")
MOVED = _put(
    "movement",
    "payment uuid, what text, at_tahap text",
    "family uuid, amount bigint, reason text",
)
HELD = _put(
    "administrative_hold",
    "family uuid, number int",
    "kind text, reason text, from_tahap text, last_day date, placed_at timestamptz",
)
HOLD_ENDED = _put("administrative_hold", "family uuid, number int", "ended text")
PROPOSED = _put(
    "proposal",
    "kind text, family uuid, tahap text, number int",
    "result text, proposed_at timestamptz, standing text",
)
DECIDED = _put("proposal", "kind text, family uuid, tahap text, number int", "standing text")
# Every message has a place here, so a batch's are written at once.
TIMELINE = """
INSERT INTO timeline (family, source, position, at, type, body)
SELECT * FROM
    unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::json[])
        AS said (family)
WHERE NOT EXISTS (SELECT FROM erased_family WHERE erased_family.family = said.family)
ON CONFLICT DO NOTHING
"""
# Who is adding to a timeline is waited for, and who comes later sees that the family is erased.
ERASED = (
    "LOCK TABLE timeline IN SHARE ROW EXCLUSIVE MODE",
    "INSERT INTO erased_family SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
    "DELETE FROM timeline WHERE family = ANY($1::uuid[])",
    "DELETE FROM designation WHERE family = ANY($1::uuid[])",
    "DELETE FROM administrative_hold WHERE family = ANY($1::uuid[])",
    "DELETE FROM proposal WHERE family = ANY($1::uuid[])",
)
TAHAP_EVENT = """
INSERT INTO tahap_event (tahap, position, at, type, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
TERMS = Write(
    """
    INSERT INTO tahap_terms (tahap, source, position, type, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::json[])
    ON CONFLICT DO NOTHING
    """,
    keys=3,
)


def _entitled(body: PaymentEntitled, _message: Incoming) -> Row:
    components = ";".join(f"{part.category}:{part.members}" for part in body.components)
    return (
        body.payment,
        body.tahap,
        body.family,
        body.kind,
        body.region,
        components,
        body.amount,
        body.payee_valid,
        body.benefit_policy,
        body.cut,
        _array(part.reason for part in body.not_counted),
    )


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL writes it; one of arrays of several lengths is none."""
    return f"{{{','.join(map(str, values))}}}"


def _evaluated(body: CycleEvaluated, message: Incoming) -> Row:
    failing = sorted({duty.member for duty in body.duties if duty.outcome == "FAILED"})
    access = {service.of: service.reached for service in body.access}
    return (
        body.tahap,
        body.family,
        body.revision,
        body.result,
        body.counter,
        _array(failing),
        message.value.decode(),
        access.get("HEALTH"),
        access.get("EDUCATION"),
    )


def _held(body: AdministrativeHoldPlaced, message: Incoming) -> Row:
    until = body.from_tahap, body.last_day, message.envelope.time
    return (body.family, body.number, body.kind, body.reason, *until)


def _corrected(standing: str) -> tuple[Write, Callable[[Any, Incoming], Row]]:
    """The standing of a proposed correction from a message on."""
    return DECIDED, lambda b, _: ("CORRECTION", b.family, b.tahap, b.correction, standing)


def _reopened(standing: str) -> tuple[Write, Callable[[Any, Incoming], Row]]:
    """The standing of a proposed reopening from a message on."""
    return DECIDED, lambda b, _: ("REOPENING", b.family, b.tahap, b.reopening, standing)


def _proposed(kind: str, number: int, body: Any, result: str, message: Incoming) -> Row:
    return (kind, body.family, body.tahap, number, result, message.envelope.time, "WAITING")


def _not_paused(body: AppealNotPaused, _message: Incoming) -> Row:
    refused = body.reason if body.reason in REFUSES_APPEAL else ""
    return (body.case, body.family, body.tahap, body.against, refused, 0)


def _decision_refused(body: AppealDecisionRefused, _message: Incoming) -> Row:
    return (body.case, body.family, body.tahap, body.against, "", body.decision)


PROPOSALS: dict[type[Any], tuple[Write, Callable[[Any, Incoming], Row]]] = {
    AdministrativeHoldPlaced: (HELD, _held),
    AdministrativeHoldEnded: (HOLD_ENDED, lambda b, _: (b.family, b.number, b.reason)),
    CorrectionProposed: (
        PROPOSED,
        lambda b, m: _proposed("CORRECTION", b.correction, b, b.result, m),
    ),
    CorrectionApproved: _corrected("APPROVED"),
    CorrectionRejected: _corrected("REJECTED"),
    CorrectionWithdrawn: _corrected("WITHDRAWN"),
    ReopeningProposed: (PROPOSED, lambda b, m: _proposed("REOPENING", b.reopening, b, "", m)),
    FamilyReopened: _reopened("APPROVED"),
    ReopeningRejected: _reopened("REJECTED"),
    ReopeningWithdrawn: _reopened("WITHDRAWN"),
    AppealNotPaused: (APPEAL_REFUSED, _not_paused),
    AppealDecisionRefused: (APPEAL_REFUSED, _decision_refused),
}
"""The write of what waits for people; a type may have one here and one of `WRITES`."""

WRITES: dict[type[Any], tuple[Write, Callable[[Any, Incoming], Row]]] = {
    FamilyDesignated: (DESIGNATED, lambda b, _: (b.family, b.tahap, b.status, b.reason, b.region)),
    FamilyGraduated: (GRADUATED, lambda b, _: (b.family, b.tahap, b.kind, b.region)),
    GraduationPending: (
        WITHOUT_CATEGORY,
        lambda b, _: (b.tahap, b.family, b.region, "GRADUATION_PENDING"),
    ),
    FamilyReopened: (WITHOUT_CATEGORY, lambda b, _: (b.tahap, b.family, b.region, "REOPENED")),
    CycleEvaluated: (EVALUATED, _evaluated),
    FamilyUnlisted: (UNLISTED, lambda b, _: (b.family, b.tahap)),
    CycleWithdrawn: (WITHDRAWN, lambda b, _: (b.tahap, b.family)),
    InvestigationOpened: (INVESTIGATED, lambda b, _: (b.tahap, b.family, "INVESTIGATION")),
    InvestigationWithdrawn: (INVESTIGATED, lambda b, _: (b.tahap, b.family, "WITHDRAWN")),
    Terminated: (INVESTIGATED, lambda b, _: (b.cycle, b.family, "TERMINATED")),
    Cleared: (INVESTIGATED, lambda b, _: (b.cycle, b.family, "CLEARED")),
    PaymentEntitled: (ENTITLED, _entitled),
    AccountCheckFailed: (CHECK_FAILED, lambda b, m: (b.payment, b.code, m.envelope.time)),
    PaymentInstructed: (INSTRUCTED, lambda b, _: (b.payment, True, b.bank)),
    PaymentCredited: (
        CREDITED,
        lambda b, _: (b.payment, "CREDITED", b.hold, b.bank_reference),
    ),
    PaymentWithheld: (WITHHELD, lambda b, m: (b.payment, b.reason, m.envelope.time)),
    PaymentVoided: (VOIDED, lambda b, _: (b.payment,)),
    PaymentDeferred: (DEFERRED, lambda b, m: (b.payment, b.reason, m.envelope.time)),
    TransferFailed: (FAILED, lambda b, m: (b.payment, b.code, m.envelope.time)),
    PaymentReleased: (
        MOVED,
        lambda b, _: (b.payment, "RELEASED", b.at_tahap, b.family, b.amount, "HOLD_LIFTED"),
    ),
    PaymentReturned: (
        MOVED,
        lambda b, _: (b.payment, "RETURNED", b.at_tahap, b.family, b.amount, b.reason),
    ),
}
"""The write of a body of each type, beside its place in the timeline."""

TAKEN_BACK = (UNLISTED, WITHDRAWN, VOIDED)
"""Writes that take rows away; done neither before an older row nor behind a newer one."""


async def about_families(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Upsert what each message says, and put it into its family's timeline.

    By which terms a tahap is listed and judged comes on the same topics, under the tahap.
    """
    if erased := [m.body.family for m in messages if isinstance(m.body, FamilyErased)]:
        await _erase(transaction, erased)
    rows: Rows = {}
    timeline: list[Row] = []
    for message in messages:
        data, body, envelope = message.value.decode(), message.body, message.envelope
        if isinstance(body, OfTahap):
            published = (body.tahap, envelope.source, envelope.position)
            rows = await _add(transaction, rows, TERMS, (*published, envelope.type, data))
            continue
        for table in (WRITES, PROPOSALS):
            if type(body) in table:
                write, row = table[type(body)]
                rows = await _add(transaction, rows, write, row(body, message))
        timeline.append(
            (
                body.family,
                envelope.source,
                envelope.position,
                envelope.time,
                envelope.type,
                data,
            )
        )
    await _write(transaction, rows)
    if timeline:
        await transaction.connection.execute(TIMELINE, *map(list, zip(*timeline, strict=True)))


async def about_sessions(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep sessions and groups, and put each family's part into its timeline."""
    await keep_sessions(transaction, messages)
    timeline = [
        (family, m.envelope.source, m.envelope.position, m.envelope.time, m.envelope.type, body)
        for m in messages
        for family, body in of_families(m)
    ]
    if timeline:
        await transaction.connection.execute(TIMELINE, *map(list, zip(*timeline, strict=True)))


async def about_cases(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep the steps of cases, and put what is said of a family's case into its timeline; a case
    may be of no family."""
    await keep_cases(transaction, messages)
    await about_families(transaction, [m for m in messages if m.body.family is not None])


async def _erase(transaction: Transaction, families: Sequence[str]) -> None:
    """Forget what was said of families, and tell nothing of them from here on."""
    lock, *statements = ERASED
    await transaction.connection.execute(lock)
    for statement in statements:
        await transaction.connection.execute(statement, families)


async def _add(transaction: Transaction, rows: Rows, write: Write, row: Row) -> Rows:
    """The rows with one more; those before it are written first where they would be in its way."""
    key = row[: write.keys]
    first = next(iter(rows), write)  # all of them take back, or none
    if key in rows.get(write, ()) or (first in TAKEN_BACK) != (write in TAKEN_BACK):
        await _write(transaction, rows)
        rows = {}
    rows.setdefault(write, {})[key] = row
    return rows


async def _write(transaction: Transaction, rows: Rows) -> None:
    for write, values in rows.items():
        columns = zip(*values.values(), strict=True)
        await transaction.connection.execute(write.sql, *map(list, columns))


async def about_tahaps(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep each document and decision of a tahap as it came."""
    await transaction.connection.executemany(
        TAHAP_EVENT,
        [
            (m.body.tahap, m.envelope.position, m.envelope.time, m.envelope.type, m.value.decode())
            for m in messages
        ],
    )
    for message in messages:
        if isinstance(message.body, ClosingAnnounced):
            body = message.body
            await keep_months(transaction, body.tahap, body.months, body.closing_date)


VIEWS = (
    Subscription(
        "projection",
        FAMILY_TOPIC,
        {
            "FamilyDesignated": FamilyDesignated,
            "FamilyGraduated": FamilyGraduated,
            "GraduationPending": GraduationPending,
            "ReopeningProposed": ReopeningProposed,
            "ReopeningWithdrawn": ReopeningWithdrawn,
            "ReopeningRejected": ReopeningRejected,
            "FamilyReopened": FamilyReopened,
            "FamilyUnlisted": FamilyUnlisted,
            "FamilyErased": FamilyErased,
            "TerminationTakenBack": OfFamily,
            "OrderAnswered": OfFamily,
            "ListingStarted": OfTahap,
            **dict.fromkeys(FACTS, OfFamily),
        },
        about_families,
    ),
    Subscription(
        "projection",
        COMMITMENT_TOPIC,
        {
            "EvaluationAnnounced": OfTahap,
            "CycleEvaluated": CycleEvaluated,
            "CycleWithdrawn": CycleWithdrawn,
            "Suspended": OfFamily,
            "Released": OfFamily,
            "InvestigationOpened": InvestigationOpened,
            "InvestigationWithdrawn": InvestigationWithdrawn,
            "Terminated": Terminated,
            "Cleared": Cleared,
            "CorrectionProposed": CorrectionProposed,
            "CorrectionApproved": CorrectionApproved,
            "CorrectionRejected": CorrectionRejected,
            "CorrectionWithdrawn": CorrectionWithdrawn,
            "AppealPaused": OfFamily,
            "AppealNotPaused": AppealNotPaused,
            "AppealUpheld": OfFamily,
            "AppealDecisionRefused": AppealDecisionRefused,
            "AppealEnded": OfFamily,
            "OrderAnswered": OfFamily,
        },
        about_families,
    ),
    Subscription(
        "projection",
        PAYMENT_TOPIC,
        {
            "PaymentEntitled": PaymentEntitled,
            "AccountCheckFailed": AccountCheckFailed,
            "PaymentInstructed": PaymentInstructed,
            "PaymentCredited": PaymentCredited,
            "TransferFailed": TransferFailed,
            "PaymentReleased": PaymentReleased,
            "PaymentReturned": PaymentReturned,
            "PaymentWithheld": PaymentWithheld,
            "PaymentDeferred": PaymentDeferred,
            "PaymentVoided": PaymentVoided,
            "AdministrativeHoldPlaced": AdministrativeHoldPlaced,
            "AdministrativeHoldEnded": AdministrativeHoldEnded,
            "EffectTooLate": OfFamily,
            "ReturnWaits": OfFamily,
            "ArrearOwed": OfFamily,
        },
        about_families,
    ),
    Subscription(
        "projection",
        SESSION_TOPIC,
        {
            "SessionHeld": SessionHeld,
            "SessionCorrected": SessionCorrected,
            "SessionCancelled": SessionCancelled,
            "AttendanceRecorded": AttendanceRecorded,
            "FamiliesJoined": FamiliesJoined,
            "FamiliesLeft": FamiliesLeft,
        },
        about_sessions,
    ),
    Subscription("projection", CASE_TOPIC, {}, about_cases, others=OfCase),
    Subscription(
        "projection",
        TAHAP_TOPIC,
        {**dict.fromkeys(OF_TAHAP, OfTahap), "ClosingAnnounced": ClosingAnnounced},
        about_tahaps,
    ),
)
SUBSCRIPTIONS = (
    *VIEWS,
    *(
        Subscription("projection", topic, {}, about_families, others=OfFamily)
        for topic in catalogue().services["projection"].reads
        if topic not in {view.topic for view in VIEWS}
    ),
)
"""A topic without a view is about families: its messages are kept in their timelines."""
