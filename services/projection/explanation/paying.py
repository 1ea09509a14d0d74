"""The way of the money: list, account check, documents, bank, and what became of it since."""

from __future__ import annotations

from typing import Any, Final

from services.projection.explanation.answer import ExplanationStep, Reference, Text
from services.projection.explanation.household import of_kind, reference
from services.projection.explanation.messages import (
    AccountCheckFailed,
    PaymentCredited,
    PaymentEntitled,
    PaymentInstructed,
    PaymentWithheld,
    Published,
    TransferFailed,
)
from services.projection.explanation.story import Story
from services.projection.explanation.tahap_messages import (
    AccountCheckSent,
    BankFileSent,
    BankResultReceived,
    FundsReleased,
    ListFrozen,
    PaymentOrdered,
    PaymentRequested,
    SupplementaryFrozen,
)
from services.projection.explanation.words import day, rupiah

REGULAR: Final = "REGULAR"
CODES: Final = {
    "ACCOUNT_NOT_FOUND": Text("the bank knows no such account", "rekening tidak ditemukan"),
    "ACCOUNT_CLOSED": Text("the account was closed", "rekening ditutup"),
    "ACCOUNT_DORMANT": Text("the account was dormant", "rekening tidak aktif"),
    "NIK_MISMATCH": Text(
        "the account's holder is not the payee (NIK)", "NIK pemilik rekening bukan NIK pengurus"
    ),
    "NAME_MISMATCH": Text("the account's holder has another name", "nama pemilik rekening berbeda"),
}


def frozen(story: Story) -> list[ExplanationStep]:
    """The list on which the family stands, as two people approved it."""
    run = story.entitled.body.kind if story.entitled else REGULAR
    kind: type[ListFrozen | SupplementaryFrozen] = ListFrozen
    if run != REGULAR:
        kind = SupplementaryFrozen
    for message in story.documents(kind, run):
        body = message.body
        total, off = rupiah(body.rupiah), rupiah(body.cut)
        less = Text(f"{off.en} of it cut; ", f"dipotong {off.id}; ") if body.cut else Text("", "")
        text = Text(
            f"The list of {body.count:,} families and {total.en} ({less.en}SHA-256 {body.hash}) "
            f"was proposed by {body.maker} and approved by {body.checker}.",
            f"Daftar {body.count} keluarga dan {total.id} ({less.id}SHA-256 {body.hash}) diusulkan "
            f"oleh {body.maker} dan disetujui oleh {body.checker}.",
        )
        return [ExplanationStep("LIST", text, (reference(message),))]
    return []


def paid(story: Story, entitled: Published[PaymentEntitled]) -> list[ExplanationStep]:
    """From the account check to what the bank answered."""
    payment = entitled.body.payment
    withheld = _first(story, PaymentWithheld, payment)
    failed = _first(story, AccountCheckFailed, payment)
    if withheld is not None:
        return [_withheld(withheld)]
    if failed is not None:
        return [_check_failed(story, failed, entitled)]
    instructed = _first(story, PaymentInstructed, payment)
    if instructed is None:
        return []
    return [
        _check_passed(story, entitled),
        *_order(story, entitled.body.kind),
        *_transfer(story, entitled, instructed),
    ]


def _first(story: Story, kind: type[Any], payment: str) -> Published[Any] | None:
    return next(
        (message for message in of_kind(story.messages, kind) if message.body.payment == payment),
        None,
    )


def _withheld(withheld: Published[PaymentWithheld]) -> ExplanationStep:
    reason = withheld.body.reason
    text = Text(
        f"The entitlement stands and is not paid ({reason}): a person of this family is already "
        "paid in this tahap on another card.",
        f"Hak bantuan tercatat tetapi tidak dibayar ({reason}): seorang anggota keluarga ini "
        "sudah menerima bantuan tahap ini pada kartu lain.",
    )
    return ExplanationStep("WITHHELD", text, (reference(withheld),))


# -- Account check --------------------------------------------------------------------------------


def _check_failed(
    story: Story, failed: Published[AccountCheckFailed], entitled: Published[PaymentEntitled]
) -> ExplanationStep:
    code, on = failed.body.code, day(story.announced.body.account_check_date)
    why = CODES.get(code, Text(code, code))
    text = Text(
        f"The account check of {on.en} failed: {why.en} ({code}). The payment is in no order, "
        "and no arrear is owed.",
        f"Cek rekening {on.id} gagal: {why.id} ({code}). Pembayaran tidak masuk perintah bayar, "
        "dan tidak ada rapel.",
    )
    return ExplanationStep(
        "ACCOUNT_CHECK", text, (reference(failed), *_file(story, AccountCheckSent, entitled))
    )


def _check_passed(story: Story, entitled: Published[PaymentEntitled]) -> ExplanationStep:
    on = day(story.announced.body.account_check_date)
    text = Text(
        f"The account check of {on.en} found the account in order.",
        f"Cek rekening {on.id} menyatakan rekening sesuai.",
    )
    return ExplanationStep("ACCOUNT_CHECK", text, _file(story, AccountCheckSent, entitled))


def _file(
    story: Story, kind: type[Any], entitled: Published[PaymentEntitled], bank: str | None = None
) -> tuple[Reference, ...]:
    """The files whose range of payments holds this one."""
    return tuple(
        reference(message)
        for message in story.documents(kind, entitled.body.kind)
        if message.body.first <= entitled.body.payment <= message.body.last
        and bank in (None, getattr(message.body, "bank", None))
    )


# -- Order and transfer ---------------------------------------------------------------------------


def _order(story: Story, run: str) -> list[ExplanationStep]:
    """The papers: SPP by the maker, SPM with the checker, SP2D from the treasury."""
    steps: list[ExplanationStep] = []
    for requested in story.documents(PaymentRequested, run):
        request = requested.body
        text = Text(
            f"Payment request (SPP) {request.request} by {request.maker}.",
            f"Surat Permintaan Pembayaran (SPP) {request.request} oleh {request.maker}.",
        )
        steps.append(ExplanationStep("ORDER", text, (reference(requested),)))
    for ordered in story.documents(PaymentOrdered, run):
        order = ordered.body
        text = Text(
            f"Payment order (SPM) {order.order}, made by {order.maker}, approved by "
            f"{order.checker} (SHA-256 {order.hash}).",
            f"Surat Perintah Membayar (SPM) {order.order}, dibuat {order.maker}, disetujui "
            f"{order.checker} (SHA-256 {order.hash}).",
        )
        steps.append(ExplanationStep("ORDER", text, (reference(ordered),)))
    for funded in story.documents(FundsReleased, run):
        text = Text(
            f"The treasury released the funds (SP2D) under number {funded.body.number}.",
            f"Kas Negara mencairkan dana (SP2D) nomor {funded.body.number}.",
        )
        steps.append(ExplanationStep("ORDER", text, (reference(funded),)))
    return steps


def _transfer(
    story: Story, entitled: Published[PaymentEntitled], instructed: Published[PaymentInstructed]
) -> list[ExplanationStep]:
    payment, bank = entitled.body.payment, instructed.body.bank
    files = [
        sent
        for sent in story.documents(BankFileSent, entitled.body.kind)
        if sent.body.bank == bank and sent.body.first <= payment <= sent.body.last
    ]
    names = {sent.body.file for sent in files}
    answers = [
        reference(answer)
        for answer in story.documents(BankResultReceived, entitled.body.kind)
        if answer.body.file in names
    ]
    at = (reference(instructed), *(reference(sent) for sent in files), *answers)
    file = ", ".join(sorted(names)) or "?"
    credited = _first(story, PaymentCredited, payment)
    if credited is not None:
        return _credited(story, credited, bank, file, at)
    failed = _first(story, TransferFailed, payment)
    if failed is not None:
        return [_failed(story, failed, bank, file, at)]
    text = Text(
        f"{bank} was instructed (file {file}) and has not answered yet.",
        f"{bank} telah menerima perintah (berkas {file}) dan belum menjawab.",
    )
    return [ExplanationStep("TRANSFER", text, at, amount=entitled.body.amount - entitled.body.cut)]


def _credited(
    story: Story,
    credited: Published[PaymentCredited],
    bank: str,
    file: str,
    at: tuple[Reference, ...],
) -> list[ExplanationStep]:
    body, on = credited.body, day(story.announced.body.credit_date)
    worth = rupiah(body.amount)
    text = Text(
        f"{bank} credited {worth.en} on {on.en} (file {file}, reference {body.bank_reference}).",
        f"{bank} mengkreditkan {worth.id} pada {on.id} "
        f"(berkas {file}, referensi {body.bank_reference}).",
    )
    step = ExplanationStep("TRANSFER", text, (*at, reference(credited)), amount=body.amount)
    if body.hold != "HELD":
        return [step]
    text = Text(
        "The money is in the account and blocked there: the family cannot draw it yet.",
        "Bantuan ada di rekening tetapi diblokir: keluarga belum dapat mengambilnya.",
    )
    clauses = story.clauses.sanction()
    return [
        step,
        ExplanationStep("HELD", text, (reference(credited),), (), clauses, amount=body.amount),
    ]


def _failed(
    story: Story,
    failed: Published[TransferFailed],
    bank: str,
    file: str,
    at: tuple[Reference, ...],
) -> ExplanationStep:
    body, on = failed.body, day(story.announced.body.credit_date)
    why, worth = CODES.get(body.code, Text(body.code, body.code)), rupiah(body.amount)
    text = Text(
        f"{bank} could not credit on {on.en} (file {file}): {why.en} ({body.code}). {worth.en} "
        "went back to the treasury, and no arrear is owed.",
        f"{bank} tidak dapat mengkreditkan pada {on.id} (berkas {file}): {why.id} ({body.code}). "
        f"{worth.id} kembali ke Kas Negara, dan tidak ada rapel.",
    )
    return ExplanationStep("TRANSFER", text, (*at, reference(failed)), amount=body.amount)
