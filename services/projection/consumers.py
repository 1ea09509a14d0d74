"""Every message becomes keyed rows: what it says about its family or tahap, and its timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libs.chassis.catalogue import catalogue
from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.store.transaction import Transaction
from services.projection.contract import (
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    PAYMENT_TOPIC,
    TAHAP_TOPIC,
    AccountCheckFailed,
    Cleared,
    CycleEvaluated,
    CycleWithdrawn,
    FamilyDesignated,
    FamilyErased,
    FamilyGraduated,
    FamilyReopened,
    FamilyUnlisted,
    GraduationPending,
    InvestigationOpened,
    InvestigationWithdrawn,
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
    Terminated,
    TransferFailed,
)
from services.projection.tables.kept_types import FACTS, OF_TAHAP

Row = tuple[Any, ...]

DESIGNATED = """
INSERT INTO designation (family, tahap, status, reason, region) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (family) DO UPDATE SET tahap = $2, status = $3, reason = $4, region = $5
"""
GRADUATED = """
INSERT INTO graduation (family, tahap, kind, region) VALUES ($1, $2, $3, $4)
ON CONFLICT (family) DO UPDATE SET tahap = $2, kind = $3, region = $4
"""
WITHOUT_CATEGORY = """
INSERT INTO without_category (tahap, family, region, standing) VALUES ($1, $2, $3, $4)
ON CONFLICT (tahap, family) DO UPDATE SET region = $3, standing = $4
"""
EVALUATED = """
INSERT INTO evaluation (tahap, family, revision, result, counter, failing, duties)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tahap, family) DO UPDATE
SET revision = $3, result = $4, counter = $5, failing = $6, duties = $7
WHERE evaluation.revision < $3
"""
UNLISTED = """
WITH judged AS (DELETE FROM designation WHERE family = $1 AND tahap = $2),
     waiting AS (DELETE FROM without_category WHERE family = $1 AND tahap = $2)
DELETE FROM graduation WHERE family = $1 AND tahap = $2
"""
WITHDRAWN = "DELETE FROM evaluation WHERE tahap = $1 AND family = $2"
VOIDED = "DELETE FROM payment WHERE payment = $1"
INVESTIGATED = """
INSERT INTO investigation (tahap, family, standing) VALUES ($1, $2, $3)
ON CONFLICT (tahap, family) DO UPDATE SET standing = $3
"""
ENTITLED = """
INSERT INTO payment (payment, tahap, family, kind, region, components, amount, payee_valid,
                     benefit_policy, cut)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (payment) DO UPDATE SET tahap = $2, family = $3, kind = $4, region = $5,
    components = $6, amount = $7, payee_valid = $8, benefit_policy = $9, cut = $10
"""
CHECK_FAILED = """
INSERT INTO payment (payment, check_failure) VALUES ($1, $2)
ON CONFLICT (payment) DO UPDATE SET check_failure = $2
"""
INSTRUCTED = """
INSERT INTO payment (payment, instructed, bank) VALUES ($1, true, $2)
ON CONFLICT (payment) DO UPDATE SET instructed = true, bank = $2
"""
CREDITED = """
INSERT INTO payment (payment, transfer, hold, bank_reference) VALUES ($1, 'CREDITED', $2, $3)
ON CONFLICT (payment) DO UPDATE SET transfer = 'CREDITED', hold = $2, bank_reference = $3
"""
FAILED = """
INSERT INTO payment (payment, transfer) VALUES ($1, $2)
ON CONFLICT (payment) DO UPDATE SET transfer = $2
"""
WITHHELD = """
INSERT INTO payment (payment, withheld) VALUES ($1, $2)
ON CONFLICT (payment) DO UPDATE SET withheld = $2
"""
DEFERRED = """
INSERT INTO payment (payment, deferred) VALUES ($1, $2)
ON CONFLICT (payment) DO UPDATE SET deferred = $2
"""
MOVED = """
INSERT INTO movement (payment, what, at_tahap, family, amount, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (payment, what, at_tahap) DO UPDATE SET family = $4, amount = $5, reason = $6
"""
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
)
TAHAP_EVENT = """
INSERT INTO tahap_event (tahap, position, at, type, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
TERMS = """
INSERT INTO tahap_terms (tahap, source, position, type, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""


def _entitled(body: PaymentEntitled, data: str) -> Row:
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
    )


def _evaluated(body: CycleEvaluated, data: str) -> Row:
    failing = sorted({duty.member for duty in body.duties if duty.outcome == "FAILED"})
    return (body.tahap, body.family, body.revision, body.result, body.counter, failing, data)


WRITES: dict[type[Any], tuple[str, Callable[[Any, str], Row]]] = {
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
    AccountCheckFailed: (CHECK_FAILED, lambda b, _: (b.payment, b.code)),
    PaymentInstructed: (INSTRUCTED, lambda b, _: (b.payment, b.bank)),
    PaymentCredited: (CREDITED, lambda b, _: (b.payment, b.hold, b.bank_reference)),
    PaymentWithheld: (WITHHELD, lambda b, _: (b.payment, b.reason)),
    PaymentVoided: (VOIDED, lambda b, _: (b.payment,)),
    PaymentDeferred: (DEFERRED, lambda b, _: (b.payment, b.reason)),
    TransferFailed: (FAILED, lambda b, _: (b.payment, b.code)),
    PaymentReleased: (
        MOVED,
        lambda b, _: (b.payment, "RELEASED", b.at_tahap, b.family, b.amount, "HOLD_LIFTED"),
    ),
    PaymentReturned: (
        MOVED,
        lambda b, _: (b.payment, "RETURNED", b.at_tahap, b.family, b.amount, b.reason),
    ),
}
"""Statements of a body of each type, beside its place in the timeline."""

TAKEN_BACK = (UNLISTED, WITHDRAWN, VOIDED)
"""Statements that take rows away; written neither before an older row nor behind a newer one."""


async def about_families(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Upsert what each message says, and put it into its family's timeline.

    By which terms a tahap is listed and judged comes on the same topics, under the tahap.
    """
    if erased := [m.body.family for m in messages if isinstance(m.body, FamilyErased)]:
        await _erase(transaction, erased)
    rows: dict[str, list[Row]] = {}
    timeline: list[Row] = []
    for message in messages:
        data, body = message.value.decode(), message.body
        if isinstance(body, OfTahap):
            published = (body.tahap, message.envelope.source, message.envelope.position)
            rows.setdefault(TERMS, []).append((*published, message.envelope.type, data))
            continue
        if type(body) in WRITES:
            statement, row = WRITES[type(body)]
            if any((other in TAKEN_BACK) != (statement in TAKEN_BACK) for other in rows):
                await _write(transaction, rows)
                rows = {}
            rows.setdefault(statement, []).append(row(body, data))
        envelope = message.envelope
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


async def _erase(transaction: Transaction, families: Sequence[str]) -> None:
    """Forget what was said of families, and tell nothing of them from here on."""
    lock, *statements = ERASED
    await transaction.connection.execute(lock)
    for statement in statements:
        await transaction.connection.execute(statement, families)


async def _write(transaction: Transaction, rows: Mapping[str, Sequence[Row]]) -> None:
    for statement, values in rows.items():
        await transaction.connection.executemany(statement, values)


async def about_tahaps(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep each document and decision of a tahap as it came."""
    await transaction.connection.executemany(
        TAHAP_EVENT,
        [
            (m.body.tahap, m.envelope.position, m.envelope.time, m.envelope.type, m.value.decode())
            for m in messages
        ],
    )


VIEWS = (
    Subscription(
        "projection",
        FAMILY_TOPIC,
        {
            "FamilyDesignated": FamilyDesignated,
            "FamilyGraduated": FamilyGraduated,
            "GraduationPending": GraduationPending,
            "ReopeningProposed": OfFamily,
            "ReopeningWithdrawn": OfFamily,
            "ReopeningRejected": OfFamily,
            "FamilyReopened": FamilyReopened,
            "FamilyUnlisted": FamilyUnlisted,
            "FamilyErased": FamilyErased,
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
            "CorrectionProposed": OfFamily,
            "CorrectionApproved": OfFamily,
            "CorrectionRejected": OfFamily,
            "CorrectionWithdrawn": OfFamily,
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
            "AdministrativeHoldPlaced": OfFamily,
            "AdministrativeHoldEnded": OfFamily,
            "EffectTooLate": OfFamily,
        },
        about_families,
    ),
    Subscription("projection", TAHAP_TOPIC, dict.fromkeys(OF_TAHAP, OfTahap), about_tahaps),
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
