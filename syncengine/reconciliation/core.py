"""The exactly-once proof: each approved invoice against what SAP holds of it. Pure: everything read is handed in.

design.md, "The people" (auditor); default-mapping.md, "Is it there already?" (our mark) and "After every post" (what is
rounding and what is a difference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from syncengine.flows.invoicing.case import FAILED, IN_PROGRESS, TRANSFERRED, WAITING
from syncengine.posting.amounts import line_tolerance
from syncengine.posting.invoice import CREDIT_NOTES
from syncengine.posting.responses import cut

APPROVED = frozenset({WAITING, IN_PROGRESS, FAILED, *TRANSFERRED})
"""The statuses of a document that was approved for payment and not withdrawn since (contracts: Basware §14.2)."""
DETAIL_LENGTH = 1000


class Outcome(StrEnum):
    """What became of one invoice.

    NOT_CONFIRMED  in SAP once and right, but Basware does not show it as transferred
    NOT_APPROVED   in SAP under our mark, but Basware does not show an approved invoice of that id
    FAILED         not in SAP, and it takes a person to get it there
    """

    POSTED_ONCE = "posted_once"
    MISSING = "missing"
    DUPLICATE = "duplicate"
    TOTALS_DIFFER = "totals_differ"
    FAILED = "failed"
    NOT_CONFIRMED = "not_confirmed"
    NOT_APPROVED = "not_approved"


@dataclass(frozen=True, slots=True)
class Approved:
    """One approved invoice. `amount` and `currency` are Basware's, as written.

    What SAP should hold of it: `entity_set`, `card_code`, `sap_currency`, `gross` and `tax` with their sign settled.
    `told` is the paid total that Basware was told last, `lines` the number of its coding rows.
    """

    invoice_id: str
    number: str
    vendor: str
    currency: str
    amount: Decimal | None
    day: date | None
    status: str
    voucher: str
    entity_set: str
    card_code: str
    sap_currency: str
    gross: Decimal | None
    tax: Decimal | None
    lines: int
    told: Decimal
    branch: str = ""

    @property
    def expected(self) -> Decimal:
        """What SAP should hold of it, in its currency there: what a credit note takes back is below 0."""
        return _signed(self.entity_set, self.gross or Decimal(0))


@dataclass(frozen=True, slots=True)
class Posted:
    """One document in SAP; sums in its own currency, the gross before withholding tax.

    `sums` are SAP's own fields, as far as they are not 0: payments need them. `cancelled` goes for the cancelled
    document and for its mirror.
    """

    entity_set: str
    doc_entry: int
    doc_num: int
    card_code: str
    currency: str
    gross: Decimal
    tax: Decimal
    cancelled: bool
    sums: Mapping[str, Any]
    branch: str = ""

    @property
    def signed(self) -> Decimal:
        """The gross as it counts in a total: what a credit note takes back is below 0."""
        return _signed(self.entity_set, self.gross)

    def describe(self) -> str:
        return f"{'credit note ' if self.entity_set == CREDIT_NOTES else ''}{self.doc_num}"


@dataclass
class Held:
    """What SAP holds of one invoice: `ours` by mark or link, `alike` with the same vendor and number but no mark."""

    ours: list[Posted] = field(default_factory=list)
    alike: list[Posted] = field(default_factory=list)

    def living(self) -> list[Posted]:
        return [one for one in self.ours if not one.cancelled]


@dataclass(frozen=True)
class Standing:
    """Where our own record of the invoice stands; `message` is its error's."""

    status: str
    message: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the report. `documents` are those that count: cancelled ones are named in `detail` only.

    `expected` is what SAP should hold of the invoice in `sap_currency`, None for what nobody approved.
    """

    invoice_id: str
    invoice_number: str
    vendor: str
    amount: Decimal | None
    currency: str
    outcome: Outcome
    documents: tuple[Posted, ...] = ()
    detail: str = ""
    expected: Decimal | None = None
    sap_currency: str = ""
    branch: str = ""


NOTHING = Held()


def _signed(entity_set: str, amount: Decimal) -> Decimal:
    return -amount if entity_set == CREDIT_NOTES else amount


def compare(approved: Iterable[Approved], held: Mapping[str, Held], standings: Mapping[str, Standing]) -> Iterator[Row]:
    """A row for each approved invoice; all mappings go by invoice id, and need not know every invoice."""
    for one in approved:
        outcome, documents, detail = _judge(one, held.get(one.invoice_id, NOTHING), standings.get(one.invoice_id))
        detail = cut(detail, DETAIL_LENGTH)
        yield Row(
            one.invoice_id,
            one.number,
            one.vendor,
            one.amount,
            one.currency,
            outcome,
            tuple(documents),
            detail,
            one.expected,
            one.sap_currency,
            one.branch,
        )


def unapproved(invoice_id: str, documents: Sequence[Posted], status: str) -> Row:
    """SAP holds what nobody approved, or nobody approves any more. The sums are SAP's."""
    first = documents[0]
    shown = f"it is {status} in Basware" if status else "Basware does not know that invoice"
    detail = f"posted in SAP as {_names(documents)}, but {shown}"
    return Row(
        invoice_id,
        "",
        first.card_code,
        sum((one.gross for one in documents), Decimal(0)),
        first.currency,
        Outcome.NOT_APPROVED,
        tuple(documents),
        detail,
    )


Judgement = tuple[Outcome, Sequence[Posted], str]


def _judge(one: Approved, held: Held, standing: Standing | None) -> Judgement:
    known = held.living() or _confirmed_by_number(one, held)
    if not known:
        return _absent(one, held, standing)
    twins = [other for other in held.alike if other not in known and _same_money(other, one)]
    if len(known) + len(twins) > 1:
        return Outcome.DUPLICATE, [*known, *twins], _duplicate_detail(known, twins)
    found = list(differences(one, known[0]))
    if found:
        return Outcome.TOTALS_DIFFER, known, "; ".join(found)
    return _present(one, known, standing)


def _confirmed_by_number(one: Approved, held: Held) -> list[Posted]:
    """A document without our mark is the invoice when Basware itself shows its number as the voucher."""
    return [other for other in held.alike if one.status in TRANSFERRED and str(other.doc_num) == one.voucher]


def _same_money(other: Posted, one: Approved) -> bool:
    return other.currency == one.sap_currency and other.gross == one.gross


def _duplicate_detail(known: Sequence[Posted], twins: Sequence[Posted]) -> str:
    if not twins:
        return f"in SAP {len(known)} times: {_names(known)}"
    marked = f"in SAP {len(known) + len(twins)} times: {_names(known)}"
    return f"{marked}, and without our mark, but with the same vendor, number and sum: {_names(twins)}"


def _present(one: Approved, known: Sequence[Posted], standing: Standing | None) -> Judgement:
    if one.status not in TRANSFERRED:
        detail = f"in SAP as {_names(known)}, but {one.status} in Basware"
        return Outcome.NOT_CONFIRMED, known, _with_reason(detail, standing)
    other_number = one.voucher and one.voucher != str(known[0].doc_num)
    return Outcome.POSTED_ONCE, known, f"Basware shows voucher number {one.voucher}" if other_number else ""


def _absent(one: Approved, held: Held, standing: Standing | None) -> Judgement:
    failed = one.status == FAILED or (standing is not None and standing.status == "failed")
    parts = [f"{one.status} in Basware, and not in SAP"]
    if held.ours:
        parts.append(f"cancelled there: {_names(held.ours)}")
    if held.alike:
        parts.append(f"SAP has this vendor's number without our mark as {_names(held.alike)}")
    return Outcome.FAILED if failed else Outcome.MISSING, (), _with_reason("; ".join(parts), standing)


def _with_reason(detail: str, standing: Standing | None) -> str:
    if standing is None:
        return f"{detail}; no record of it here"
    if standing.message:
        return f"{detail}: {standing.message}"
    return detail if standing.status == "done" else f"{detail}; the record here is {standing.status.replace('_', ' ')}"


def differences(one: Approved, made: Posted) -> Iterator[str]:
    """How SAP's document is not the invoice: kind, vendor, currency, and sums beyond rounding."""
    for word, has, wanted in (
        ("document", made.entity_set, one.entity_set),
        ("vendor", made.card_code, one.card_code),
        ("currency", made.currency, one.sap_currency),
    ):
        if has != wanted:
            yield f"{word} {has} in SAP, {wanted} on the invoice"
    tolerance = line_tolerance(one.lines)
    for word, has_sum, wanted_sum in (("tax", made.tax, one.tax), ("gross", made.gross, one.gross)):
        if wanted_sum is not None and abs(has_sum - wanted_sum) > tolerance:
            yield f"{word} {has_sum} in SAP, {wanted_sum} on the invoice"


def _names(documents: Iterable[Posted]) -> str:
    return ", ".join(one.describe() for one in documents)
