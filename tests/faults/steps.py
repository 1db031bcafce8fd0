"""The write steps of the matrix: how each is led up to, what it sends, and what must be true after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from syncengine.models import Attempt, Record
from tests.faults.deaths import ANNOUNCED, IMPORT_ANNOUNCED
from tests.faults.world import FaultWorld, invoice

PAID = "Paid"


@dataclass(frozen=True)
class Step:
    """`system`, `method` and `path` name the request that is hit; `kind` is that of its attempt.

    `prepare` leads up to the run of `flow` that sends it; `check` says what must hold in the end; `outcome` puts it in
    words for the table.
    """

    name: str
    system: str
    method: str
    path: str
    kind: str
    prepare: Callable[[FaultWorld], None]
    check: Callable[[FaultWorld], None]
    outcome: Callable[[FaultWorld], str]
    flow: str = "invoices"
    announced: str = ANNOUNCED

    @property
    def word(self) -> str:
        """What the announcement of this step is called with."""
        return "" if self.announced == IMPORT_ANNOUNCED else f"^ ?{self.kind}"


def _one_invoice(town: FaultWorld) -> None:
    town.issue(invoice())


def _posted(town: FaultWorld) -> str:
    return f"{town.mine().stage}: {len(town.in_sap())} in SAP, {len(town.answers())} answer"


# SAP makes more of it than the invoice says: its payment is blocked at once


def _odd_sap(town: FaultWorld) -> None:
    documents = town.sandboxes.sap.documents
    post = type(documents).post

    def odd(built):
        document = post(documents, built)
        document["DocTotal"] += Decimal(5)
        return document

    documents.post = odd
    _one_invoice(town)


def _held(town: FaultWorld) -> None:
    record, story = town.mine(), town.story()
    assert (record.status, record.error_code) == ("failed", "needs_decision"), story
    assert record.flags == ["total_differs"], story
    assert [one["PaymentBlock"] for one in town.in_sap()] == ["tYES"], story
    assert town.answers() == [], story
    town.assert_complete_trail(record)


def _held_words(town: FaultWorld) -> str:
    return f"held: {len(town.in_sap())} in SAP, blocked, {len(town.answers())} answers"


# An invoice that Basware has to mend


def _unknown_codes(town: FaultWorld) -> None:
    town.issue(invoice("unknown_codes"))


def _refused_words(town: FaultWorld) -> str:
    return f"given back: {len(town.in_sap())} in SAP, {len(town.answers())} answer"


# Master data


def _nothing_yet(town: FaultWorld) -> None:
    town.issue()


def _all_projects(town: FaultWorld) -> None:
    records = Record.objects.filter(flow="projects")
    held = town.basware("projects")
    assert {record.status for record in records} == {"done"}
    assert {record.target_keys["external_code"] for record in records} == set(held)
    assert not Attempt.objects.filter(flow="projects", state__in=("sending", "accepted")).exists()


def _imported_words(town: FaultWorld) -> str:
    return f"confirmed: {len(town.basware('projects'))} projects in Basware"


# Payments


def _paid_invoice(town: FaultWorld) -> None:
    _one_invoice(town)
    town.go()
    town.tell("/sap/payments", entry=town.in_sap()[0]["DocEntry"])


def _told_once(town: FaultWorld) -> None:
    told, story = town.payments(), town.story()
    assert [Decimal(str(one["paidTotal"])) for one in told] == [Decimal(str(town.at_basware()["grossSum"]))], story
    assert town.at_basware()["processingStatus"] == PAID, story
    payment = Record.objects.get(flow="payments")
    assert payment.status == "done"
    town.assert_complete_trail(payment)
    town.assert_posted_once(stage="paid")


def _told_words(town: FaultWorld) -> str:
    return f"paid: {len(town.payments())} payment response"


STEPS = {
    step.name: step
    for step in (
        Step(
            "acknowledge", "basware", "POST", "/acknowledge", "acknowledge",
            _one_invoice, FaultWorld.assert_posted_once, _posted,
        ),
        Step(
            "post", "sap_b1", "POST", "/PurchaseInvoices", "post",
            _one_invoice, FaultWorld.assert_posted_once, _posted,
        ),
        Step("payment block", "sap_b1", "PATCH", r"/PurchaseInvoices\(\d+\)", "payment_block",
            _odd_sap, _held, _held_words,
        ),
        Step(
            "transfer response true", "basware", "POST", "/transferResponses", "transfer_response",
            _one_invoice, FaultWorld.assert_posted_once, _posted,
        ),
        Step(
            "transfer response false", "basware", "POST", "/transferResponses", "transfer_response",
            _unknown_codes, FaultWorld.assert_refused_once, _refused_words,
        ),
        Step(
            "master import", "basware", "POST", "/v2/projects", "import",
            _nothing_yet, _all_projects, _imported_words, flow="projects", announced=IMPORT_ANNOUNCED,
        ),
        Step(
            "payment response", "basware", "POST", "/paymentResponses", "payment_response",
            _paid_invoice, _told_once, _told_words, flow="payments",
        ),
    )
}  # fmt: skip
