"""What must be true of every invoice, whatever happens: at any moment, and when everything has come to rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from syncengine.audit import verification
from syncengine.models import Attempt, AuditEvent, PostedDocument, Record, Run
from tests.engine.world import Document
from tests.faults.stateful.town import WHILE_OTHERS_ACT, LivingTown
from tests.faults.world import SETS

FAULTS_OF_OUR_OWN = {"internal_error", "too_many_steps", "not_configured"}
OPEN_DRAFT = {"dasPending", "dasApproved", "dasWithout"}
ANSWERED = {"Transferred", "Paid"}
CENT = Decimal("0.005")


@dataclass
class Known:
    """What the model knows of one invoice: what Basware's people and the portal's have done to it."""

    sums: set[Decimal]
    """Every total that it has ever had in Basware."""
    adopted: bool = False
    """A person has said that a document in SAP is it, whatever its total."""


@dataclass
class Seen:
    """What SAP shows of one invoice: documents that live, those cancelled, drafts that may still become one."""

    living: list[Document] = field(default_factory=list)
    cancelled: list[Document] = field(default_factory=list)
    drafts: list[Document] = field(default_factory=list)

    @property
    def numbers(self) -> set[str]:
        return {str(one["DocNum"]) for one in (*self.living, *self.cancelled)}


def look(town: LivingTown) -> dict[str, Seen]:
    """All that SAP holds under our mark, by invoice."""
    found: dict[str, Seen] = defaultdict(Seen)
    for name in (*SETS, "Drafts"):
        for document in town.sap(name):
            for invoice_id in (one for one in town.issued if f"Basware {one}" in (document.get("Comments") or "")):
                _sort(found[invoice_id], name, document)
    return found


def _sort(seen: Seen, name: str, document: Document) -> None:
    if name == "Drafts":
        is_open = document["DocumentStatus"] == "bost_Open" and document["AuthorizationStatus"] in OPEN_DRAFT
        seen.drafts += [document] if is_open else []
    elif document["CancelStatus"] == "csNo":
        seen.living.append(document)
    else:
        seen.cancelled.append(document)


def total_of(document: Document) -> Decimal:
    return Decimal(str(document["DocTotal" if document["DocCurrency"] == "EUR" else "DocTotalFc"]))


# At any moment


def check_now(town: LivingTown, known: dict[str, Known]) -> None:
    """Never two, never a word that is not true."""
    seen = look(town)
    for place, invoice_id in enumerate(town.issued):
        _check_sap(town, place, seen[invoice_id], known[invoice_id])
        _check_answers(town, place, seen[invoice_id])
        _check_payments(town, place)


def _check_sap(town: LivingTown, place: int, seen: Seen, known: Known) -> None:
    story = town.story(place)
    assert len(seen.living) + len(seen.drafts) <= 1, f"twice in SAP: {story}"
    for document in seen.living:
        assert any(abs(total_of(document) - abs(one)) < CENT for one in known.sums), f"another sum: {story}"
    links = PostedDocument.objects.filter(
        integration=town.integration, invoice_id=town.issued[place], cancelled_at=None
    )
    assert links.count() <= 1, f"linked twice: {story}"


def _check_answers(town: LivingTown, place: int, seen: Seen) -> None:
    answers, story = town.answers(place), town.story(place)
    vouchers = [one.get("voucherNumber1") for one in answers if one["success"]]
    assert len(vouchers) <= 1, f"answered twice: {story}"
    assert set(vouchers) <= seen.numbers, f"a yes without a document: {story}"
    codes = [one["externalCode"] for one in answers]
    assert len(codes) == len(set(codes)), f"one answer twice: {story}"


def _check_payments(town: LivingTown, place: int) -> None:
    gross, told = abs(Decimal(str(town.at_basware(place)["grossSum"]))), town.payments(place)
    codes = [one["externalCode"] for one in told]
    assert len(codes) == len(set(codes)), f"one payment told twice: {told}"
    assert all(0 <= Decimal(str(one["paidTotal"])) <= gross + CENT for one in told), f"told too much: {told}"


# When everything has come to rest


def check_at_rest(town: LivingTown, known: dict[str, Known]) -> None:
    """Every approved invoice is posted once and confirmed, or before a person who is told why."""
    check_now(town, known)
    seen = look(town)
    for place, invoice_id in enumerate(town.issued):
        record = Record.objects.filter(integration=town.integration, flow="invoices", key=invoice_id).first()
        assert record is not None, f"lost: {town.story(place)}"
        ENDS[record.status](town, place, record, seen[invoice_id], known[invoice_id])
    for record in Record.objects.filter(integration=town.integration, status="failed"):
        assert record.error_code not in FAULTS_OF_OUR_OWN, f"{record.flow}: {record.error_code}"
        assert record.error_message, f"{record.flow} {record.key} failed without a reason"
    _check_trail(town)


def _done(town: LivingTown, place: int, record: Record, seen: Seen, known: Known) -> None:
    story, at_basware = town.story(place), town.at_basware(place)
    assert len(seen.living) == 1, f"done, and not in SAP: {story}"
    assert record.target_keys["DocEntry"] == seen.living[0]["DocEntry"], story
    if record.stage == "posted":
        assert "send_again_in_basware" in record.flags, f"done too early: {story}"
        assert at_basware["processingStatus"] == "TransferFailed", story
        return
    assert at_basware["processingStatus"] in ANSWERED, f"done, and not confirmed: {story}"
    vouchers = {one.get("voucherNumber1") for one in town.answers(place) if one["success"]}
    assert len(vouchers) == 1, f"done, and not answered: {story}"
    if not seen.cancelled:
        assert vouchers == {str(seen.living[0]["DocNum"])}, f"another voucher: {story}"
    if not known.adopted:
        assert total_of(seen.living[0]) == abs(Decimal(str(at_basware["grossSum"]))), f"another sum: {story}"
    _check_paid(town, place, seen.living[0])


def _check_paid(town: LivingTown, place: int, document: Document) -> None:
    """Basware knows what SAP has paid, once every payment of the invoice is done."""
    payments = Record.objects.filter(integration=town.integration, flow="payments", reference=town.issued[place])
    if document["CancelStatus"] != "csNo" or not payments.exists() or payments.exclude(status="done").exists():
        return
    told = town.payments(place)
    paid = document.get("PaidToDate" if document["DocCurrency"] == "EUR" else "PaidToDateFC") or 0
    assert Decimal(str(told[-1]["paidTotal"] if told else 0)) == Decimal(str(paid)), f"{told}: {town.story(place)}"


def _before_a_person(town: LivingTown, place: int, record: Record, seen: Seen, known: Known) -> None:
    story = town.story(place)
    assert record.error_code, f"failed without a reason: {story}"
    if record.error_code == "problems" and record.stage != "posted":
        assert not seen.living, f"refused, and in SAP: {story}"
    if record.stage == "posted" and record.error_code != "closed":
        assert len(seen.living) + len(seen.cancelled) >= 1, f"posted, and not in SAP: {story}"


def _given_up(town: LivingTown, place: int, record: Record, seen: Seen, known: Known) -> None:
    story = town.story(place)
    assert town.at_basware(place)["processingStatus"] != "TransferInProgress", f"forgotten in Basware: {story}"
    assert not seen.drafts, f"given back, and drafted in SAP: {story}"


def _waiting(town: LivingTown, place: int, record: Record, seen: Seen, known: Known) -> None:
    story = town.story(place)
    assert record.error_code == "awaiting_approval", f"waits without end: {story}"
    assert len(seen.drafts) == 1, f"waits for a draft that is not there: {story}"


ENDS = {"done": _done, "failed": _before_a_person, "ignored": _given_up, "waiting": _waiting}


def _check_trail(town: LivingTown) -> None:
    """No write without an end, no run without one, and the trail is as it was written."""
    mine = {"integration": town.integration}
    _none(Attempt.objects.filter(state__in=("sending", "accepted"), **mine))
    _none(Attempt.objects.filter(finished_at=None, **mine))
    _none(Run.objects.filter(finished_at=None, **mine).exclude(records__error_code__in=WHILE_OTHERS_ACT))
    for place in range(len(town.issued)):
        record = town.mine(place)
        events = AuditEvent.objects.filter(record=record, action__in=("invoice.posted", "invoice.adopted"))
        assert events.count() == record.posted_documents.count(), f"links and the trail differ: {town.story(place)}"
    verification.close(verification.verify(town.integration.organization_id))


def _none(rows: Iterable[object]) -> None:
    left = list(rows)
    assert not left, left
