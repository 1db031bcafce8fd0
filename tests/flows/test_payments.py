"""Payments of posted invoices: found, put in order, told to Basware (default-mapping.md, payments)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.basware.resources import check
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected
from syncengine.flows.desk import Posting
from syncengine.flows.document import FindWindow
from syncengine.flows.payments import PaymentFlow
from tests.flows.contract import FlowContract
from tests.flows.desks import MemoryArchive, Row
from tests.flows.systems import World, lost
from tests.flows.world import context
from tests.posting import builders
from tests.posting.builders import INVOICE_ID, document

KIND = "payment_response"


class TestContract(FlowContract):
    flow = PaymentFlow()


def world(gross: str = "100.00", **changed: Any) -> World:
    """Invoice 4711 over 100.00 is posted and confirmed; nothing is paid."""
    settings = changed.pop("ctx", {})
    source = document(processingStatus="Transferred", grossSum=Decimal(gross), paymentMethod="BT")
    made = World(PaymentFlow(), source, context(company="1000", today=builders.TODAY, **settings))
    invoice = {
        "DocEntry": 4711,
        "DocNum": 10457,
        "DocCurrency": "EUR",
        "DocTotal": Decimal(gross),
        "CancelStatus": "csNo",
    }
    made.sap.tables["PurchaseInvoices"] = [invoice | {"PaidToDate": Decimal(0), "PaymentBlock": "tNO"} | changed]
    posting = Posting(INVOICE_ID, "PurchaseInvoices", 4711, 10457, INVOICE_ID, "V10012", "INV-1187", adopted=False)
    made.engine.links["PurchaseInvoices", 4711] = (INVOICE_ID, posting)
    made.engine.rows["invoices", INVOICE_ID] = Row(INVOICE_ID, source, "invoices", stage="confirmed", status="done")
    return made


def pay(made: World, entry: int, *applied: str, **changed: Any) -> dict[str, Any]:
    """A payment in SAP with a line for each amount; the invoice counts it as paid."""
    lines = [
        {"LineNum": number, "DocEntry": 4711, "InvoiceType": "it_PurchaseInvoice", "SumApplied": Decimal(amount)}
        for number, amount in enumerate(applied)
    ]
    total = sum(map(Decimal, applied), Decimal(0))
    payment = {
        "DocEntry": entry,
        "DocNum": 26000000 + entry,
        "DocType": "rSupplier",
        "CardCode": "V10012",
        "DocDate": "2026-11-18T00:00:00Z",
        "TransferSum": total,
        "TransferDate": "2026-11-19T00:00:00Z",
        "CancelStatus": "csNo",
        "PaymentInvoices": lines,
    }
    made.sap.tables["VendorPayments"].append(payment | changed)
    made.sap.invoices[0]["PaidToDate"] += total
    return made.sap.tables["VendorPayments"][-1]


def cancel(made: World, payment: dict[str, Any]) -> None:
    payment["CancelStatus"] = "csYes"
    made.sap.invoices[0]["PaidToDate"] -= sum(line["SumApplied"] for line in payment["PaymentInvoices"])


def find(made: World, mode: str = "incremental", last: int | None = None) -> list[Row]:
    """The records to work on, in the order of their making; `last` is the watermark."""
    window = FindWindow(mode=mode, watermark={} if last is None else {"doc_entry": last})
    before = {key for key, row in made.engine.rows.items() if row.status == "done"}
    taken = [
        made.engine.take(found)
        for page in made.engine.flow.discover(MemoryArchive(made.engine), window)
        for found in page.found
    ]
    fresh = {row.key: row for row in taken if ("payments", row.key) not in before}
    return list(fresh.values())


def watermark(made: World, last: int | None = None) -> Any:
    window = FindWindow(watermark={} if last is None else {"doc_entry": last})
    return list(made.engine.flow.discover(MemoryArchive(made.engine), window))[-1].watermark


def tell(made: World, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Advance and settle in turn until all rest; what Basware was told, in order."""
    told = len(made.basware.payments)
    for _ in range(len(rows) + 2):
        for row in rows:
            if row.status != "done":
                made.engine.run(row)
                if type(row.step).__name__ == "AwaitAnswer":
                    made.engine.settle(row, KIND)
    return made.basware.payments[told:]


def totals(responses: Sequence[dict[str, Any]]) -> list[tuple[str, Decimal]]:
    return [(response["paymentDocument"], response["paidTotal"]) for response in responses]


# Telling


def test_a_full_payment_is_told_and_the_invoice_is_paid():
    made = world()
    pay(made, 530, "100.00")
    (response,) = tell(made, find(made))
    assert response == {
        "externalCode": "1000-PAY-530/0",
        "success": True,
        "responseMessage": "Paid in full, outgoing payment 26000530.",
        "sourceSystem": "SAPB1",
        "paymentDate": "2026-11-19T00:00:00Z",
        "paymentTermCode": "3",
        "paymentBlock": False,
        "paymentMethod": "BT",
        "paidTotal": Decimal("100.00"),
        "cashDiscount": Decimal(0),
        "paymentNumber": "26000530",
        "paymentDocument": "530",
    }
    assert check("paymentResponses", response) == []
    assert made.engine.rows["invoices", INVOICE_ID].stage == "paid"


def test_partial_payments_are_told_with_running_totals_in_order():
    made = world()
    pay(made, 530, "40.00")
    pay(made, 531, "35.00")
    pay(made, 532, "25.00")
    assert totals(tell(made, find(made))) == [
        ("530", Decimal("40.00")),
        ("531", Decimal("75.00")),
        ("532", Decimal("100.00")),
    ]


def test_a_part_leaves_the_invoice_unpaid():
    made = world()
    pay(made, 530, "40.00")
    tell(made, find(made))
    assert made.engine.rows["invoices", INVOICE_ID].stage == "confirmed"


def test_each_line_of_a_payment_is_told_with_the_payment_s_total():
    made = world()
    pay(made, 530, "40.00", "60.00")
    responses = tell(made, find(made))
    assert [response["externalCode"] for response in responses] == ["1000-PAY-530/0", "1000-PAY-530/1"]
    assert totals(responses) == [("530", Decimal("100.00"))] * 2


def test_every_write_is_announced_before_it_is_made():
    made = world()
    pay(made, 530, "40.00")
    tell(made, find(made))
    events = [event for event in made.engine.events if not event.startswith(("step", "before"))]
    assert events == [
        "announce payment_response",
        "call paymentResponses",
        "taken paymentResponses",
        "accepted payment_response",
    ]


def test_the_method_goes_through_its_lookup_table():
    made = world(ctx={"lookups": {"payment_methods": {"transfer": "SEPA"}}})
    pay(made, 530, "40.00")
    assert tell(made, find(made))[0]["paymentMethod"] == "SEPA"


def test_the_block_is_the_invoice_s_in_sap_now():
    made = world(PaymentBlock="tYES")
    pay(made, 530, "40.00")
    assert tell(made, find(made))[0]["paymentBlock"] is True


def test_a_foreign_invoice_is_paid_in_its_currency():
    made = world(DocCurrency="$", DocTotalFc=Decimal("110.00"), PaidToDateFC=Decimal("110.00"))
    payment = pay(made, 530, "100.00")
    payment["PaymentInvoices"][0]["AppliedFC"] = Decimal("110.00")
    assert tell(made, find(made))[0]["paidTotal"] == Decimal("110.00")


@pytest.mark.parametrize(("settle", "total"), [(True, "100.00"), (False, "98.00")])
def test_a_discount_settles_the_rest_once_nothing_is_open(settle: bool, total: str):
    made = world(ctx={"settings": {"settle_with_discount": settle}})
    payment = pay(made, 530, "98.00")
    payment["PaymentInvoices"][0]["TotalDiscount"] = Decimal("2.00")
    made.sap.invoices[0]["PaidToDate"] = Decimal("100.00")
    (response,) = tell(made, find(made))
    assert (response["paidTotal"], response["cashDiscount"]) == (Decimal(total), Decimal("2.00"))
    assert made.engine.rows["invoices", INVOICE_ID].stage == "paid"


def test_an_earlier_part_is_not_settled_by_what_was_paid_later():
    made = world()
    payment = pay(made, 530, "50.00")
    payment["PaymentInvoices"][0]["TotalDiscount"] = Decimal("1.00")
    pay(made, 531, "49.00")
    made.sap.invoices[0]["PaidToDate"] = Decimal("100.00")
    assert [total for _, total in totals(tell(made, find(made)))] == [Decimal("50.00"), Decimal("100.00")]


# Reversals


def paid_and_cancelled() -> tuple[World, list[Row]]:
    made = world()
    payment = pay(made, 530, "40.00")
    pay(made, 531, "60.00")
    tell(made, find(made))
    cancel(made, payment)
    return made, find(made, last=531)


def test_a_cancelled_payment_is_reversed_with_what_still_stands():
    made, rows = paid_and_cancelled()
    assert [row.key for row in rows] == ["530/0R"]
    (response,) = tell(made, rows)
    assert (response["externalCode"], response["paidTotal"]) == ("1000-PAY-530/0R", Decimal("60.00"))
    assert response["paymentReversalDocument"] == "26000530"
    assert check("paymentResponses", response) == []
    assert made.engine.rows["invoices", INVOICE_ID].stage == "confirmed"


def test_a_reversal_is_told_once():
    made, rows = paid_and_cancelled()
    tell(made, rows)
    assert tell(made, find(made, last=531)) == []


def test_reversals_go_before_new_payments():
    made = world()
    payment = pay(made, 530, "40.00")
    tell(made, find(made))
    cancel(made, payment)
    pay(made, 531, "100.00")
    responses = tell(made, find(made, last=530))
    assert totals(responses) == [("530", Decimal("0.00")), ("531", Decimal("100.00"))]


def test_a_payment_first_seen_cancelled_is_only_recorded():
    made = world()
    cancel(made, pay(made, 530, "40.00"))
    (row,) = find(made)
    assert tell(made, [row]) == []
    assert (row.status, "before it was ever reported" in row.notes[0]) == ("done", True)
    assert tell(made, find(made, last=530)) == []


def test_a_payment_cancelled_before_it_could_be_told_is_not_told():
    made = world()
    made.engine.rows["invoices", INVOICE_ID].stage = "posted"
    payment = pay(made, 530, "40.00")
    (waiting,) = find(made)
    made.engine.run(waiting)
    assert waiting.code == "invoice_not_confirmed"
    cancel(made, payment)
    rows = [*find(made, last=530), waiting]
    made.engine.rows["invoices", INVOICE_ID].stage = "confirmed"
    assert tell(made, rows) == []
    assert {row.status for row in rows} == {"done"}


def test_the_mirror_of_a_cancellation_is_ignored():
    made = world()
    pay(made, 530, "40.00", CancelStatus="csCancellation")
    assert find(made) == []


# Order


def test_payments_wait_for_an_invoice_that_is_not_confirmed():
    made = world()
    made.engine.rows["invoices", INVOICE_ID].stage = "posted"
    pay(made, 530, "40.00")
    (row,) = find(made)
    made.engine.run(row)
    assert (row.status, row.code, made.basware.payments) == ("waiting", "invoice_not_confirmed", [])
    waits = [made.engine.run(row).step.seconds for _ in range(9)]  # type: ignore[union-attr]
    assert waits == [4, 8, 16, 32, 64, 128, 256, 300, 300]
    made.engine.rows["invoices", INVOICE_ID].stage = "confirmed"
    assert len(tell(made, [row])) == 1


def test_the_next_payment_waits_until_basware_has_settled_the_one_before():
    made = world()
    pay(made, 530, "40.00")
    pay(made, 531, "60.00")
    first, second = find(made)
    made.engine.run(first)
    made.engine.run(second)
    assert (second.status, second.code) == ("waiting", "not_its_turn")
    made.engine.settle(first, KIND)
    made.engine.run(second)
    assert totals(made.basware.payments) == [("530", Decimal("40.00")), ("531", Decimal("100.00"))]


def test_payments_of_one_invoice_share_a_lane():
    made = world()
    pay(made, 530, "40.00")
    (row,) = find(made)
    assert made.engine.flow.lane(made.engine.work(row)) == INVOICE_ID


# Trouble


@pytest.mark.parametrize("hook", ["before_answering", "after_answering"])
def test_a_lost_answer_is_repeated_with_the_same_code(hook: str):
    made = world()
    pay(made, 530, "40.00")
    (row,) = find(made)
    made.fail_once(made.basware, hook, lost("Basware"))
    made.engine.run(row)
    assert isinstance(row.errors[0], OutcomeUnknown)
    tell(made, [row])
    assert (row.status, len(made.basware.payments)) == ("done", 1)
    assert len(row.attempts) == 1


def test_what_basware_refuses_goes_to_a_person_and_may_be_replayed():
    made = world()
    pay(made, 530, "40.00")
    (row,) = find(made)
    made.fail_once(made.basware, "before_answering", Rejected("not transferred", code="http_400"))
    made.engine.run(row)
    assert (row.status, row.message) == ("failed", "not transferred")
    row.status = "pending"
    assert len(tell(made, [row])) == 1


def test_a_response_that_fails_later_goes_to_a_person_unless_basware_holds_it():
    made = world()
    pay(made, 530, "40.00")
    (row,) = find(made)
    made.engine.run(row)
    made.engine.settle(row, KIND, accepted=False, message="late")
    assert row.status == "done"
    made.basware.shelf[INVOICE_ID]["paymentResponses"] = []
    made.engine.settle(row, KIND, accepted=False, message="unknown invoice")
    assert (row.code, "unknown invoice" in row.message) == ("answer_failed", True)


def test_an_invoice_that_sap_does_not_show_goes_to_a_person():
    made = world()
    pay(made, 530, "40.00")
    (row,) = find(made)
    made.sap.invoices.clear()
    made.engine.run(row)
    assert row.code == "invoice_gone"


# Preview


def preview(made: World, key: str | None = None) -> Any:
    return PaymentFlow().preview(made.sap, made.basware, key, made.engine.mapping, made.engine.ctx)  # type: ignore[arg-type]


def test_a_preview_shows_what_the_rules_make_of_a_payment_of_ours():
    made = world(Comments=f"Basware {INVOICE_ID}\r\nOffice paper")
    pay(made, 901, "40.00")
    source, target, problems = preview(made)
    assert (source["DocEntry"], source["document"]["invoiceId"], source["derived"]["means"]) == (
        901,
        INVOICE_ID,
        "transfer",
    )
    assert (target["paymentMethod"], problems) == ("BT", [])
    assert preview(made, "901/0")[0]["DocEntry"] == 901


def test_without_a_payment_of_ours_there_is_nothing_to_preview():
    made = world(Comments="booked by hand")
    pay(made, 901, "40.00")
    assert preview(made) is None
    assert preview(made, "902") is None
    assert preview(made, "word") is None
    assert preview(made, "901")[0]["document"] == {}
