"""Payment confirmations from SAP to Basware: one response for each payment line of an invoice that we posted.

default-mapping.md, "SAP → Basware: payments"; contracts: SAP §8.6, Basware §14.7. Strictly one after another per
invoice; Basware never starts a payment and neither do we.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncengine.connectors.basware.resources import limits
from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.connectors.sap_b1.literals import all_of, date_literal, equals
from syncengine.flows.desk import (
    AwaitAnswer,
    Desk,
    Finished,
    Found,
    InvoiceState,
    Kin,
    NeedsPerson,
    Posting,
    Step,
    Wait,
    Work,
    note_failure,
)
from syncengine.flows.document import Archive, DocumentFlow, FindWindow, FoundPage
from syncengine.flows.invoicing.answers import MOST_LOOKS, in_doubt_of
from syncengine.flows.invoicing.case import ANSWER_LASTS, MAYBE_DONE
from syncengine.flows.invoicing.watch import watched
from syncengine.flows.master import rule
from syncengine.flows.payment_previews import preview_payment
from syncengine.mapping.text import as_text
from syncengine.posting.amounts import LEAST_TOLERANCE, amount
from syncengine.posting.invoice import INVOICES
from syncengine.posting.payments import (
    PAYMENT,
    SUPPLIER,
    Telling,
    invoice_lines,
    is_foreign,
    is_latest,
    known_paid,
    line_key,
    line_of,
    means_of,
    open_amount,
    paid_so_far,
    paid_total,
    payment_response,
)
from syncengine.posting.sap_values import CANCELLED

KIND = "payment_response"
ENTITY_TYPE = "PaymentResponse"
OPEN_STATUSES = frozenset({"pending", "in_progress", "waiting"})
CONFIRMED_STAGES = frozenset({"confirmed", "paid"})
INVOICE_WAIT_SECONDS = (2.0, 300.0)
TURN_WAIT_SECONDS = 2.0

INVOICE = (
    "DocEntry",
    "DocNum",
    "DocCurrency",
    "DocTotal",
    "DocTotalFc",
    "PaidToDate",
    "PaidToDateFC",
    "WTAmount",
    "WTAmountFC",
    "PaymentBlock",
    "CancelStatus",
)

Payment = Mapping[str, Any]


class PaymentFlow(DocumentFlow):
    """One record per payment line (`DocEntry/LineNum`), and one per cancelled line (`DocEntry/LineNumR`)."""

    name = "payments"
    title = "Payments"
    source = "sap_b1"
    target = "basware"
    depends_on = ("invoices",)
    position = 300

    def default_rules(self) -> list[dict[str, Any]]:
        """What may be chosen of a response: a rule sees the payment, Basware's `document`, and `derived.means`."""
        return [
            rule("paymentTermCode", "document.paymentTermCode"),
            rule("paymentMethod", "lookup('payment_methods', derived.means, document.paymentMethod)"),
            rule("paymentMessage", "document.paymentMessage"),
        ]

    def default_lookups(self) -> Mapping[str, Mapping[str, str]]:
        return {"payment_methods": {}}

    def targets(self) -> Collection[str]:
        """The fields that a rule may fill: those of a response that the payment itself does not decide."""
        return {"paymentTermCode", "paymentMethod", "paymentMessage"}

    def limits(self) -> Mapping[str, int]:
        return limits("paymentResponses")

    preview = staticmethod(preview_payment)

    # Finding

    def discover(self, archive: Archive, window: FindWindow) -> Iterator[FoundPage]:
        """New payments by DocEntry, those of the last days again; in a full run also those of reopened invoices."""
        since = archive.ctx.today - timedelta(days=archive.ctx.settings.payment_lookback_days)
        recent = f"DocDate ge {date_literal(since)}"
        last = window.watermark.get("doc_entry")
        highest = int(last or 0)
        # The first run starts with what is recent: what we posted cannot have been paid long before.
        where = all_of(equals("DocType", SUPPLIER), "" if last else recent)
        for rows in archive.sap.pages("VendorPayments", key="DocEntry", select=PAYMENT, where=where, after=last):
            highest = max(highest, *(int(row["DocEntry"]) for row in rows))
            yield _found_page(archive, rows)
        if last:
            where = all_of(equals("DocType", SUPPLIER), recent, f"DocEntry le {int(last)}")
            for rows in archive.sap.pages("VendorPayments", key="DocEntry", select=PAYMENT, where=where):
                yield _found_page(archive, rows)
        if window.mode == "full":
            yield from _of_reopened_invoices(archive)
        yield FoundPage([], {"doc_entry": highest})

    def lane(self, work: Work) -> str:
        return as_text(work.source.get("invoice_id"))

    # Advancing

    def advance(self, work: Work, desk: Desk) -> Step:
        """Wait for the invoice and for one's turn, then tell Basware."""
        if work.source.get("only_recorded"):
            return Finished(notes=("the payment was cancelled before it was ever reported",))
        try:
            return _Line(work, desk).step()
        except Rejected as error:
            return NeedsPerson(code=error.code, message=error.message, hint=error.hint)

    def settled(self, work: Work, desk: Desk, kind: str, confirmed: bool, message: str) -> Step:
        """The asynchronous end of a payment response: the invoice's stage follows what is paid."""
        line = _Line(work, desk)
        if not confirmed and not line.is_known_to_basware():
            hint = "Look at the document in Basware, then press replay."
            return NeedsPerson(code="answer_failed", message=f"Basware refused the payment: {message}", hint=hint)
        return line.told()


# Finding


def _found_page(archive: Archive, rows: Sequence[Payment]) -> FoundPage:
    lines = [(payment, line) for payment in rows for line in invoice_lines(payment)]
    postings = archive.postings_by_entry(INVOICES, sorted({int(line["DocEntry"]) for _, line in lines}))
    ours = [(payment, line, postings[int(line["DocEntry"])]) for payment, line in lines if line["DocEntry"] in postings]
    known = archive.kin("payments", sorted({posting.invoice_id for _, _, posting in ours})) if ours else {}
    keys = {one.key for kin in known.values() for one in kin if not one.source.get("only_recorded")}
    found = [_found(payment, line, posting, keys) for payment, line, posting in ours]
    return FoundPage(sorted(found, key=_reversals_first))


def _found(payment: Payment, line: Payment, posting: Posting, known: set[str]) -> Found:
    entry, number = int(payment["DocEntry"]), int(line["LineNum"])
    cancelled = payment.get("CancelStatus") == CANCELLED
    reversal = cancelled and line_key(entry, number) in known
    source = {name: value for name, value in payment.items() if name != "PaymentInvoices"}
    source |= {"line": dict(line), "invoice_id": posting.invoice_id, "invoice_entry": posting.doc_entry}
    source |= {"reversal": True} if reversal else {"only_recorded": True} if cancelled else {}
    word = "Cancellation of payment" if reversal else "Payment"
    return Found(
        key=line_key(entry, number, reversal=reversal),
        title=f"{word} {as_text(payment.get('DocNum'))} on {posting.num_at_card}",
        source=source,
        amount=amount(line.get("SumApplied")),
        reference=posting.invoice_id,
        party=as_text(payment.get("CardCode")),
        search=f"{as_text(payment.get('DocNum'))} {posting.num_at_card} {posting.doc_num}",
    )


def _reversals_first(found: Found) -> tuple[bool, int, int]:
    return not found.source.get("reversal"), int(found.source["DocEntry"]), int(found.source["line"]["LineNum"])


def _of_reopened_invoices(archive: Archive) -> Iterator[FoundPage]:
    """Where SAP shows less paid than we know of, the payments are read again by DocEntry, however old they are."""
    local = archive.ctx.facts.local_currency
    for pairs in watched(archive):
        kin = archive.kin("payments", [posting.invoice_id for posting, _ in pairs])
        entries: set[int] = set()
        for posting, row in pairs:
            sources = [one.source for one in kin.get(posting.invoice_id, ())]
            paid = known_paid(sources, row, local)
            shown = amount(row.get("PaidToDateFC" if is_foreign(row, local) else "PaidToDate"))
            if shown < paid.applied - LEAST_TOLERANCE:
                entries |= {int(source["DocEntry"]) for source in sources}
        if entries:
            yield _found_page(archive, archive.sap.by_keys("VendorPayments", "DocEntry", sorted(entries), PAYMENT))


# Advancing


@dataclass(frozen=True)
class _Line:
    """One payment line's record on its way."""

    work: Work
    desk: Desk

    @property
    def invoice_id(self) -> str:
        return as_text(self.work.source["invoice_id"])

    @property
    def is_reversal(self) -> bool:
        return bool(self.work.source.get("reversal"))

    @property
    def local(self) -> str:
        return self.desk.ctx.facts.local_currency

    def step(self) -> Step:
        kin = [one for one in self.desk.kin("payments", self.invoice_id) if not one.source.get("only_recorded")]
        invoice = self.desk.invoice(self.invoice_id)
        return self._needless(kin) or self._not_yet(kin, invoice) or self._tell(kin, invoice)

    def _needless(self, kin: Sequence[Kin]) -> Step | None:
        """A payment cancelled before it was told of is not told of, and neither is its cancellation."""
        original_key = self.work.key.removesuffix("R")
        keys = {one.key: one for one in kin}
        if not self.is_reversal:
            cancelled = f"{self.work.key}R" in keys and not self._maybe_told()
            return Finished(notes=("cancelled in SAP before it was reported",)) if cancelled else None
        original = keys.get(original_key)
        if original is not None and (original.memo.get("sent") or original.status in OPEN_STATUSES):
            return None
        return Finished(notes=("the payment had never been reported",))

    def _maybe_told(self) -> bool:
        """Sent, or maybe: a crash may have come before the record said so."""
        past = self.desk.attempts(KIND)
        return bool(self.work.memo.get("sent")) or any(attempt.state != "rejected" for attempt in past)

    def _not_yet(self, kin: Sequence[Kin], invoice: InvoiceState | None) -> Wait | None:
        if invoice is None or invoice.stage not in CONFIRMED_STAGES:
            waits = int(self.work.memo.get("waits") or 0)
            first, most = INVOICE_WAIT_SECONDS
            return Wait(
                seconds=min(first * 2**waits, most),
                code="invoice_not_confirmed",
                message="the invoice is not confirmed to Basware yet",
                memo={"waits": min(waits + 1, 10)},
            )
        ahead = [one.key for one in kin if one.status in OPEN_STATUSES and self._goes_before(one)]
        if ahead:
            return Wait(
                seconds=TURN_WAIT_SECONDS, code="not_its_turn", message=f"{ahead[0]} of the same invoice is first"
            )
        return None

    def _goes_before(self, other: Kin) -> bool:
        """Reversals first, then by DocEntry; a reversal after the payment that it reverses."""
        if other.key == self.work.key:
            return False
        other_reversal = bool(other.source.get("reversal"))
        if self.is_reversal and not other_reversal:
            return other.key == self.work.key.removesuffix("R")
        if other_reversal != self.is_reversal:
            return other.key != f"{self.work.key}R"
        return _place(other.source) < _place(self.work.source)

    def _tell(self, kin: Sequence[Kin], state: InvoiceState | None) -> Step:
        entry = int(self.work.source["invoice_entry"])
        invoice = self.desk.sap.by_key(INVOICES, entry, INVOICE)
        if invoice is None or state is None:
            message = f"SAP does not show the invoice {entry} that was paid"
            return NeedsPerson(code="invoice_gone", message=message, hint="Look for it in SAP, then press replay.")
        body, settles = self._body(kin, state, invoice)
        memo = {"sent": True, "settles_invoice": settles, "external_code": body["externalCode"]}
        return self._send(body, memo)

    def _body(self, kin: Sequence[Kin], state: InvoiceState, invoice: Payment) -> tuple[dict[str, Any], bool]:
        """The response, and whether the invoice is paid in full after it."""
        foreign = is_foreign(invoice, self.local)
        this = line_of(self.work.source, foreign=foreign)
        lines = [line_of(one.source, foreign=foreign) for one in kin if one.key != this.key]
        reported = {one.key for one in kin if one.memo.get("sent")}
        paid = paid_so_far(this, lines, reported)
        settled = is_latest(this, lines) and not this.is_reversal and open_amount(invoice, self.local) <= 0
        settle = settled and self.desk.ctx.settings.settle_with_discount
        total = paid_total(paid, invoice, self.local, settle=settle)
        telling = Telling(
            company=self.desk.ctx.company,
            system=self.desk.ctx.settings.source_system,
            document=state.source,
            invoice=invoice,
            mapped=self._mapped(state),
        )
        return payment_response(self.work.source, this, paid, total, telling), settled

    def _mapped(self, state: InvoiceState) -> Mapping[str, Any]:
        derived = {"means": means_of(self.work.source)}
        source = {**self.work.source, "document": state.source, "derived": derived}
        return self.desk.mapping.apply(source, lookups=self.desk.ctx.lookups, limits=limits("paymentResponses")).target

    def _send(self, body: dict[str, Any], memo: Mapping[str, Any]) -> Step:
        earlier = next((past for past in self.desk.attempts(KIND) if past.key == body["externalCode"]), None)
        if earlier is not None and earlier.state == "accepted" and self.desk.now - earlier.started_at < ANSWER_LASTS:
            return AwaitAnswer(target=body, memo=memo)  # a crash came between Basware's yes and ours
        in_doubt = earlier is not None and earlier.state in MAYBE_DONE
        intent = self.desk.announce(KIND, body["externalCode"], body, entity_type=ENTITY_TYPE)
        try:
            receipt = self.desk.basware.respond(self.invoice_id, "paymentResponses", body)
        except Rejected as error:
            if self.is_known_to_basware(body["externalCode"]):
                intent.done({"found": True})
                return self.told(memo)
            if in_doubt and self.work.attempts < MOST_LOOKS:
                intent.unknown(error.message)
                raise in_doubt_of(error) from error
            intent.refused(error.message)
            raise
        except ConnectorError as error:
            note_failure(intent, error, in_doubt=in_doubt)
            raise
        intent.done(request_id=receipt.request_id or "")
        return AwaitAnswer(target=body, memo=memo) if receipt.request_id else self.told(memo)

    def is_known_to_basware(self, code: str = "") -> bool:
        """A repeated code is refused with 409 when the first try had arrived (contracts: Basware §14.7)."""
        code = code or as_text(self.work.memo.get("external_code"))
        document = self.desk.basware.document(self.invoice_id) or {}
        return any(response.get("externalCode") == code for response in document.get("paymentResponses") or ())

    def told(self, memo: Mapping[str, Any] | None = None) -> Finished:
        """Basware has it: the invoice's stage is moved to paid, or back when the payment was reversed."""
        kept = {**self.work.memo, **(memo or {})}
        if self.is_reversal:
            self.desk.mark_paid(self.invoice_id, paid=False)
        elif kept.get("settles_invoice"):
            self.desk.mark_paid(self.invoice_id)
        return Finished(stage="confirmed", memo=memo or {})


def _place(source: Mapping[str, Any]) -> tuple[int, int]:
    return int(source["DocEntry"]), int(source["line"]["LineNum"])
